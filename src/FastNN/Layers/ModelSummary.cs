using System.Globalization;
using System.Text;

namespace FastNN.Layers;

/// <summary>The table that people look at to see what a model is.</summary>
internal static class ModelSummary
{
    private static readonly string[] Heads = ["path", "layer", "output", "parameters", "trainable", "FLOPs", "activation bytes"];

    // Numbers stand at the right of their column, texts at the left.
    private static readonly bool[] IsNumber = [false, false, false, true, false, true, true];

    public static string Write(Layer model, SummaryFormat format)
    {
        var trace = new ModelTrace(model);
        (string Path, Layer Layer)[] places = [.. LayerTree.Layers(model)];
        var known = new HashSet<Layer>(places.Select(place => place.Layer), ReferenceEqualityComparer.Instance);
        Dictionary<Layer, LayerCost>? costs = trace.Costs(known);
        List<string[]> rows = [Heads];
        var seen = new HashSet<Layer>(ReferenceEqualityComparer.Instance);
        foreach ((string path, Layer layer) in places)
        {
            bool isFirst = seen.Add(layer);
            LayerCost cost = isFirst && costs is not null ? costs.GetValueOrDefault(layer) : default;
            rows.Add(
            [
                path.Length == 0 ? "(model)" : path,
                layer.Children.Count > 0 ? layer.GetType().Name : layer.ToString(),
                trace.FirstOutputsOf(layer) is { } outputs ? string.Join(", ", outputs.Select(output => output.Shape)) : "",
                !isFirst ? "shared" : layer.Own.Count == 0 ? "" : Number(layer.Own.Sum(parameter => parameter.Count)),
                layer.Own.Count == 0 || !isFirst ? "" : layer.Own.All(parameter => parameter.IsTrainable) ? "yes"
                    : layer.Own.Any(parameter => parameter.IsTrainable) ? "partly" : "no",
                cost.Flops > 0 ? Number(cost.Flops) : "",
                cost.Bytes > 0 ? Number(cost.Bytes) : "",
            ]);
        }

        return (format == SummaryFormat.Markdown ? MarkdownTable(rows) + "\n" : TextTable(rows)) + Totals(model, costs);
    }

    private static string Totals(Layer model, Dictionary<Layer, LayerCost>? costs)
    {
        IReadOnlyList<Parameter> parameters = model.Parameters;
        long all = parameters.Sum(parameter => parameter.Count),
            trainable = parameters.Where(parameter => parameter.IsTrainable).Sum(parameter => parameter.Count);
        string cost = costs is null
            ? "FLOPs and activation bytes depend on the extents that have no number"
            : $"{Number(costs.Values.Sum(part => part.Flops))} FLOPs and {Number(costs.Values.Sum(part => part.Bytes))} activation bytes for one example";
        return $"{Number(all)} parameters, {Number(trainable)} of them trainable\n{cost}";
    }

    private static string Number(double number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string TextTable(List<string[]> rows)
    {
        var text = new StringBuilder();
        int[] widths = [.. Heads.Select((_, column) => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
        {
            for (int column = 0; column < row.Length; column++)
            {
                string cell = row[column];
                text.Append(IsNumber[column] ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column])).Append("  ");
            }

            while (text[^1] == ' ')
            {
                text.Length--;
            }

            text.Append('\n');
            if (row == Heads)
            {
                text.Append('-', widths.Sum() + (2 * (widths.Length - 1))).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string MarkdownTable(List<string[]> rows)
    {
        var text = new StringBuilder();
        foreach (string[] row in rows)
        {
            text.Append("| ").AppendJoin(" | ", row.Select(Escape)).Append(" |\n");
            if (row == Heads)
            {
                text.Append('|').AppendJoin('|', IsNumber.Select(isNumber => isNumber ? "---:" : "---")).Append("|\n");
            }
        }

        return text.ToString();
    }

    /// <summary>What users name must neither end a cell nor be taken for markup.</summary>
    private static string Escape(string cell)
    {
        var text = new StringBuilder();
        foreach (char c in cell)
        {
            if (c is '|' or '\\' or '`' or '*' or '_' or '[' or ']' or '<' or '>')
            {
                text.Append('\\');
            }

            text.Append(c is '\r' or '\n' ? ' ' : c);
        }

        return text.ToString();
    }
}
