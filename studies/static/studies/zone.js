// Tells when this device's clock is of another place; without this module the place is chosen by hand.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
// "UTC" and its like are clocks of machines, and no place.
const here = zone.includes("/") && !zone.startsWith("Etc/") ? zone : "";

for (const hint of document.querySelectorAll("[data-zone]")) {
  hint.hidden = !here || here === hint.dataset.zone;
}

for (const button of document.querySelectorAll("[data-zone-button]")) {
  const field = document.getElementById(button.dataset.zoneField);
  button.parentElement.hidden = ![...field.options].some(({value}) => value === here);
  button.addEventListener("click", () => {
    field.value = here;
    field.focus();
  });
}
