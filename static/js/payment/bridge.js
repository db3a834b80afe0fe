// WeChat's own window over this page: it opens by itself when the shopper comes from the buy, and by
// the button ever after. What the bridge says proves nothing: the server asks WeChat. paying.js asks
// it meanwhile, too, for some bridges never answer.

const box = document.querySelector("[data-bridge]");
const button = document.getElementById("open-window");
const form = document.getElementById("payment");

function open() {
  button.disabled = true;
  window.WeixinJSBridge.invoke("getBrandWCPayRequest", JSON.parse(box.dataset.bridge), (said) => {
    button.disabled = false;
    if (said.err_msg === "get_brand_wcpay_request:ok") form.submit();
    else button.focus();
  });
}

function ready() {
  button.hidden = false;
  button.addEventListener("click", open);
  const comes = new URLSearchParams(location.search).get("go") === "1";
  history.replaceState(null, "", location.pathname);
  if (comes) open();
}

if (window.WeixinJSBridge) ready();
else document.addEventListener("WeixinJSBridgeReady", ready, { once: true });
