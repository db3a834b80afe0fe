// The camera: opening it, saying why it does not open, its torch, and giving it back.

const WANTED = {
  audio: false,
  video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
};

// Each is a state that templates/catalogue/camera.html has words for.
const TROUBLES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

export function troubleBeforehand() {
  if (!window.isSecureContext) return "insecure";
  return navigator.mediaDevices?.getUserMedia ? null : "unsupported";
}

export function troubleOf(error) {
  return TROUBLES[error?.name] ?? "failed";
}

export async function open(video) {
  const stream = await navigator.mediaDevices.getUserMedia(WANTED);
  video.srcObject = stream;
  await video.play();
  return stream;
}

export function close(video) {
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
}

export function hasTorch(stream) {
  return Boolean(stream.getVideoTracks()[0]?.getCapabilities?.().torch);
}

export async function setTorch(stream, on) {
  await stream.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: on }] });
}
