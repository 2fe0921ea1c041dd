using System.Globalization;
using System.Text;

namespace FastNN.Layers;

/// <summary>The table that people look at to see what a model is.</summary>
internal static class ModelSummary
{
    private static readonly string[] Heads = ["path", "layer", "output", "parameters", "trainable"];

    public static string Write(Layer model)
    {
        var graph = new Graph(GraphMode.Inference) { Trace = [] };
        model.Apply([.. model.Signature!.Select(input => graph.Input(input.Shape.Prepend(Dim.Batch), input.Type, input.Name))]);
        List<string[]> rows = [Heads];
        var seen = new HashSet<Layer>(ReferenceEqualityComparer.Instance);
        foreach ((string path, Layer layer) in LayerTree.Layers(model))
        {
            string outputs = graph.Trace!.TryGetValue(layer, out IReadOnlyList<Value>? values)
                ? string.Join(", ", values.Select(value => value.Shape))
                : "";
            bool isFirst = seen.Add(layer);
            rows.Add(
            [
                path.Length == 0 ? "(model)" : path,
                layer.Children.Count > 0 ? layer.GetType().Name : layer.ToString(),
                outputs,
                !isFirst ? "shared" : layer.Own.Count == 0 ? "" : Number(layer.Own.Sum(parameter => parameter.Count)),
                layer.Own.Count == 0 || !isFirst ? "" : layer.Own.All(parameter => parameter.IsTrainable) ? "yes"
                    : layer.Own.Any(parameter => parameter.IsTrainable) ? "partly" : "no",
            ]);
        }

        IReadOnlyList<Parameter> parameters = model.Parameters;
        long all = parameters.Sum(parameter => parameter.Count),
        trainable = parameters.Where(parameter => parameter.IsTrainable).Sum(parameter => parameter.Count);
        return $"{Table(rows)}{Number(all)} parameters, {Number(trainable)} of them trainable";
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Table(List<string[]> rows)
    {
        var text = new StringBuilder();
        int[] widths = [.. Heads.Select((_, column) => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
        {
            for (int column = 0; column < row.Length; column++)
            {
                // Numbers stand at the right of their column, texts at the left.
                text.Append(column == 3 ? row[column].PadLeft(widths[column]) : row[column].PadRight(widths[column])).Append(
                    "  ");
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
}
