// Drives the server with the official npm SDK and prints what came, for the test beside it to judge.
// Usage: node npm_sdk.mjs FOLDER_WITH_NODE_MODULES BASE_URL API_KEY

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { setTimeout as pause } from "node:timers/promises";

const [folder, baseURL, apiKey] = process.argv.slice(2);
const entry = createRequire(`${folder}/package.json`).resolve("openai");
const { default: OpenAI, toFile } = await import(pathToFileURL(entry));
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const seen = {};

const models = await client.models.list();
seen.models = models.data.length;

const picture = await client.images.generate({ model: "gpt-image-1", prompt: "a red mug" });
const bytes = Buffer.from(picture.data[0].b64_json, "base64");
seen.picture = bytes.subarray(0, 3).toString("hex");

const edit = await client.images.edit({
  model: "gpt-image-1",
  image: [await toFile(bytes, "a.jpg", { type: "image/jpeg" }), await toFile(bytes, "b.jpg", { type: "image/jpeg" })],
  prompt: "make it blue",
});
seen.edit = Buffer.from(edit.data[0].b64_json, "base64").subarray(0, 3).toString("hex");

const stream = await client.chat.completions.create({
  model: "gemini-3.0-pro-image",
  messages: [{ role: "user", content: "a red mug" }],
  stream: true,
});
seen.chunks = 0;
for await (const chunk of stream) {
  seen.chunks += 1;
  seen.finish = chunk.choices[0]?.finish_reason ?? seen.finish;
}

let video = await client.videos.create({
  model: "sora-2",
  prompt: "it moves",
  seconds: "8",
  input_reference: { image_url: `data:image/jpeg;base64,${bytes.toString("base64")}` },
});
for (let i = 0; i < 200 && ["queued", "in_progress"].includes(video.status); i += 1) {
  await pause(100);
  video = await client.videos.retrieve(video.id);
}
seen.video = video.status;
const content = await client.videos.downloadContent(video.id);
seen.file = Buffer.from(await content.arrayBuffer()).subarray(4, 8).toString("latin1");

try {
  await client.images.generate({ model: "no-such-model", prompt: "x" });
} catch (error) {
  seen.error = { name: error.constructor.name, status: error.status, code: error.code, requestID: Boolean(error.requestID) };
}
console.log(JSON.stringify(seen));
