// Posts the form to the provider, once: who comes back to this page chooses for themselves.

if (!history.state?.sent) {
  history.replaceState({ sent: true }, "");
  document.getElementById("onward").submit();
}
