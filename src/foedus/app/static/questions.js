// Questions with their answers; filled in below.
import { clear, h } from "./dom.js";
export function mount(element, context) {
  clear(element, h("p", {}, context.forecast ? "A forecast is there." : "The forecast is being made."));
  context.wantForecast();
}
