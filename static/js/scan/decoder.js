// Reading codes from pictures: the browser's own BarcodeDetector where it reads what we need, else
// zxing, which is loaded when the first camera opens and never before.

const NATIVE = ["qr_code", "ean_13", "ean_8", "upc_a", "upc_e", "data_matrix"];
const ZXING = { qr_code: "QRCode", ean_13: "EAN13", ean_8: "EAN8", upc_a: "UPCA", upc_e: "UPCE",
  data_matrix: "DataMatrix" };

// GS1 strings in a matrix begin with a mark that is no part of the text; the shop reads it by the
// symbology identifier in front. Eight digits may be EAN-8 or UPC-E: only the symbol tells.
const ANNOUNCED = ["]d2", "]Q3", "]C1"];

// `only` names the formats that are wanted, as BarcodeDetector names them. The decoder answers
// {text, matrix} or null; `matrix` is false for bars, which are read twice before they are believed.
export async function makeDecoder({ script, wasm, only = NATIVE }) {
  return (await makeNative(only)) ?? makeZxing(script, wasm, only);
}

async function makeNative(only) {
  if (!("BarcodeDetector" in window)) return null;
  try {
    const known = await window.BarcodeDetector.getSupportedFormats();
    if (!only.every((format) => known.includes(format))) return null;
    const detector = new window.BarcodeDetector({ formats: only });
    return async (video) => {
      const [found] = await detector.detect(video);
      return found ? read(found.rawValue, found.format, "") : null;
    };
  } catch {
    return null; // Some browsers have the name and nothing behind it.
  }
}

async function makeZxing(script, wasm, only) {
  await load(script);
  const zxing = window.ZXingWASM;
  await zxing.prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  const options = { formats: only.map((format) => ZXING[format]), tryHarder: true, tryInvert: false,
    maxNumberOfSymbols: 1, textMode: "Plain" };
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let near = false;
  return async (video) => {
    // By turns the whole picture, made smaller, and its middle as sharp as the camera has it.
    near = !near;
    const [found] = await zxing.readBarcodes(cut(video, canvas, context, near), options);
    if (!found || found.error) return null;
    const format = Object.keys(ZXING).find((key) => ZXING[key] === found.format) ?? found.format;
    return read(found.text, format, found.symbologyIdentifier ?? "");
  };
}

function cut(video, canvas, context, near) {
  const { videoWidth: width, videoHeight: height } = video;
  const part = near ? Math.min(1, 800 / Math.max(width, height)) : 1;
  const scale = near ? 1 : Math.min(1, 800 / Math.max(width, height));
  canvas.width = Math.round(width * part * scale);
  canvas.height = Math.round(height * part * scale);
  context.drawImage(video, (width * (1 - part)) / 2, (height * (1 - part)) / 2, width * part,
    height * part, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function read(text, format, identifier) {
  if (!text) return null;
  const matrix = format === "qr_code" || format === "data_matrix" || !(format in ZXING);
  if (ANNOUNCED.includes(identifier)) return { text: identifier + text, matrix };
  if (format === "ean_8") return { text: `]E4${text}`, matrix };
  return { text, matrix };
}

let loading = null;

function load(script) {
  loading ??= new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = script;
    element.onload = resolve;
    element.onerror = () => {
      loading = null;
      reject(new Error("the scanner's code did not load"));
    };
    document.head.append(element);
  });
  return loading;
}
