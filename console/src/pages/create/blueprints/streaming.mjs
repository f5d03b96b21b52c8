import { setTimeout } from "node:timers/promises";

export const handler = awslambda.streamifyResponse(async (event, stream) => {
  stream.setContentType("text/plain");
  for (const word of ["One", "part", "after", "the", "other."]) {
    stream.write(`${word} `);
    await setTimeout(200);
  }
  stream.end();
});
