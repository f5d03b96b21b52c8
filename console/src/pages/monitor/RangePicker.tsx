/** Chooses the range of time, which the address keeps. */

import DateRangePicker, { type DateRangePickerProps } from "@cloudscape-design/components/date-range-picker";
import { choose } from "../../app/router";
import { type Range, type Unit, queryOf, rangeProblem } from "./range";

const LAST: readonly [amount: number, unit: Unit][] = [[1, "hour"], [3, "hour"], [12, "hour"], [1, "day"], [1, "week"]];

export function RangePicker({ range }: { range: Range }) {
  return (
    <DateRangePicker
      ariaLabel="Range of time"
      value={range.kind === "last"
        ? { type: "relative", amount: range.amount, unit: range.unit }
        : { type: "absolute", startDate: range.from.toISOString(), endDate: range.to.toISOString() }}
      relativeOptions={LAST.map(([amount, unit]) => ({ key: `${amount}${unit}`, amount, unit, type: "relative" }))}
      customRelativeRangeUnits={["minute", "hour", "day", "week"]}
      isValidRange={(value) => {
        const problem = value === null ? "Choose a range." : rangeProblem(chosen(value));
        return problem === undefined ? { valid: true } : { valid: false, errorMessage: problem };
      }}
      onChange={({ detail }) => detail.value && choose(queryOf(chosen(detail.value)))}
      isDateEnabled={(date) => date.getTime() < Date.now()}
      absoluteFormat="long-localized"
      hideTimeOffset
      showClearButton={false}
      expandToViewport
      i18nStrings={{
        formatRelativeRange: ({ amount, unit }) => `Last ${amount === 1 ? unit : `${amount} ${unit}s`}`,
        formatUnit: (unit, value) => (value === 1 ? unit : `${unit}s`),
      }}
    />
  );
}

function chosen(value: DateRangePickerProps.Value): Range {
  if (value.type === "absolute") return { kind: "fixed", from: new Date(value.startDate), to: new Date(value.endDate) };
  return { kind: "last", amount: value.amount, unit: value.unit as Unit };
}
