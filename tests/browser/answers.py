"""What synthetic people choose and answer: a PIN, and sheets of a first and of a later visit."""

PIN = "274903"
PSQI = {
    "bed": "23:30",
    "latency_min": "50",
    "rise": "06:45",
    "sleep_h": "5:30",
    "d_a": "3",
    "d_b": "2",
    "d_c": "0",
    "d_d": "0",
    "d_e": "1",
    "d_f": "1",
    "d_g": "0",
    "d_h": "2",
    "d_i": "0",
    "d_j_reason": "",
    "quality": "2",
    "meds": "0",
    "awake": "2",
    "enthusiasm": "2",
}
# Stressed enough to be eligible, and not the same answer throughout.
CPSS = {
    f"item_{number}": str(1 if number in {4, 5, 6, 7, 9, 10, 13} else 3) for number in range(1, 15)
}
BETTER_PSQI = {**PSQI, "latency_min": "25", "sleep_h": "6:30", "d_a": "1", "quality": "1"}
BETTER_CPSS = {**CPSS, **{f"item_{number}": "2" for number in (1, 2, 3, 4, 5, 6)}}
BASELINE = {"psqi": PSQI, "cpss": CPSS}
FOLLOW_UP = {"psqi": BETTER_PSQI, "cpss": BETTER_CPSS}
