// Whoever sees the page of signing in is signed out on this device, by hand, or from elsewhere: the
// desk's pages that it took along (worker.js) are gone then. What it keeps to be sent stays: it is in
// the name of who did it, and holds nothing of a shopper's.

self.caches?.delete("desk-pages").catch(() => {});
