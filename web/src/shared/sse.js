/**
 * Reads `text/event-stream` from a fetch response, so that a POST with own headers can stream.
 *
 * @typedef {{ type: string, id: number | null, data: any }} StreamEvent
 */

/** A server sends a sign of life every 15 seconds; a line that is quiet for three of them is dead. */
const QUIET_MS = 45_000;

/**
 * Yield the events of a response until it ends.
 *
 * @param {Response} response
 * @returns {AsyncGenerator<StreamEvent>}
 * @throws {Error} when the line is cut
 */
export async function* readEvents(response) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  try {
    for (;;) {
      const { value, done } = await readInTime(reader);
      if (done) return;
      buffer += decoder.decode(value, { stream: true });
      const frames = buffer.split(/\r\n\r\n|\n\n|\r\r/);
      buffer = frames.pop() ?? "";
      for (const frame of frames) {
        const event = parseFrame(frame);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** @param {ReadableStreamDefaultReader<Uint8Array>} reader */
async function readInTime(reader) {
  let timer;
  const quiet = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("The line went quiet.")), QUIET_MS);
  });
  try {
    return await /** @type {Promise<any>} */ (Promise.race([reader.read(), quiet]));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {string} frame
 * @returns {StreamEvent | null} null for a comment
 */
export function parseFrame(frame) {
  let type = "message";
  let id = null;
  const data = [];
  for (const line of frame.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    else if (field === "event") type = value;
    else if (field === "id" && /^\d+$/.test(value)) id = Number(value);
  }
  return data.length ? { type, id, data: JSON.parse(data.join("\n")) } : null;
}
