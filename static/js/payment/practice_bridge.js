// Plays WeChat's part where WeChat is practice: its window is a page of the practice server, which
// looks at the signature like the real one and comes back here.

const there = document.querySelector("[data-practice]").dataset.practice;

if (!window.WeixinJSBridge) {
  window.WeixinJSBridge = {
    invoke(name, asked) {
      const address = new URL(there);
      for (const [field, value] of Object.entries(asked)) address.searchParams.set(field, value);
      address.searchParams.set("back", location.origin + location.pathname);
      location.assign(address);
    },
  };
  document.dispatchEvent(new Event("WeixinJSBridgeReady"));
}
