namespace FastNN.Data;

/// <summary>What a dataset holds, in a line.</summary>
internal static class Summary
{
    public static string Of(DatasetSplit split) =>
        $"{split.Train.Count} training and {split.Test.Count} test examples of {Rest(split.Train)}";

    public static string Of(Dataset data) => $"{data.Count} examples of {Rest(data)}";

    public static string Of<T>(IReadOnlyList<T> texts, string kind, Func<T, string> text) =>
        $"{texts.Count} {kind} of {texts.Sum(one => (long)text(one).Length)} characters together";

    private static string Rest(Dataset data)
    {
        string targets = data.HasLabels
            ? $"{data.Classes} classes" : $"targets of {string.Join('x', data.TargetShape.ToArray())}";
        return $"{string.Join('x', data.ExampleShape.ToArray())}, {targets}";
    }
}
