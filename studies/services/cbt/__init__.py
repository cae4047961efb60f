"""The CBT-I arm: course, lessons, diary, sleep window, messages, caseload."""
