// Upload, train, forecast, CSV, 304 and errors, by the types that openapi-typescript makes of the service's OpenAPI.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Job = components["schemas"]["JobOut"];
declare const process: { argv: string[] };
const client = createClient<paths>({ baseUrl: process.argv[2] });

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

async function upload(table: string): Promise<string> {
  const { data, response } = await client.POST("/datasets", {
    body: { file: table, name: "typescript" },
    bodySerializer: () => {
      const form = new FormData();
      form.append("file", new Blob([table]), "visits.csv");
      form.append("name", "typescript");
      return form;
    },
  });
  check(response.status === 201 && data !== undefined && "id" in data, "the upload was refused");
  check(data.profile.series === 1 && data.name === "typescript", "the profile is another one");
  return data.id;
}

async function ended(job: Job): Promise<Job> {
  while (job.state === "queued" || job.state === "running") {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { data } = await client.GET("/jobs/{job_id}", { params: { path: { job_id: job.id } } });
    check(data !== undefined, "the job is gone");
    job = data;
  }
  return job;
}

async function train(dataset_id: string): Promise<string> {
  const body = { dataset_id, horizon: 3, preset: "quick", start: "pretrained" } as const;
  const { data, error } = await client.POST("/train", { body });
  check(data !== undefined, `the training was refused: ${error?.detail}`);
  const { state, model_id } = await ended(data);
  check(state === "succeeded" && typeof model_id === "string", `the job ${state}`);
  return model_id;
}

async function forecast(dataset_id: string, model_id: string): Promise<void> {
  const query = { dataset_id, level: [80] };
  const { data, response } = await client.GET("/forecast", { params: { query } });
  check(data !== undefined && typeof data !== "string", "this is no JSON");
  const [found] = data.forecasts;
  check(found !== undefined && found.model_id === model_id, "another model forecast");
  check(found.forecast.length === 3 && found.intervals["80"]?.hi.length === 3, "steps are missing");
  const etag = response.headers.get("etag") ?? "";
  const again = await client.GET("/forecast", { params: { query, header: { "if-none-match": etag } } });
  check(again.response.status === 304, "the answer with this ETag was sent again");
  const csv = await client.GET("/forecast", { params: { query: { ...query, format: "csv" } }, parseAs: "text" });
  check(typeof csv.data === "string" && csv.data.startsWith("unique_id,ds,forecast"), "this is no CSV");
}

async function refusals(dataset_id: string): Promise<void> {
  const missing = await client.GET("/datasets/{dataset_id}", { params: { path: { dataset_id: "ds_0" } } });
  check(missing.error?.type === "urn:gatecast:problem:not-found", "a dataset that is none was found");
  const refused = await client.POST("/train", { body: { dataset_id, horizon: 0 } });
  check(refused.error?.errors[0]?.pointer === "#/horizon", "the error points elsewhere");
}

const months = Array.from({ length: 48 }, (_, i) => `${2020 + Math.floor(i / 12)}-${String((i % 12) + 1).padStart(2, "0")}`);
const dataset_id = await upload(["month,visits", ...months.map((month, i) => `${month},${100 + i + 10 * (i % 12)}`)].join("\n"));
await forecast(dataset_id, await train(dataset_id));
await refusals(dataset_id);
