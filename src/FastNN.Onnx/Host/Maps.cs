using System.Globalization;

namespace FastNN.Onnx.Host;

/// <summary>Operators of ai.onnx.ml that give or take maps.</summary>
internal static class Maps
{
    /// <summary>A map from the labels to each row's scores.</summary>
    public static OnnxValue?[] ZipMap(HostCall call)
    {
        OnnxTensor x = Numbers.Convert(call.Tensor(0), OnnxElementType.Float32);
        OnnxTensor labels = call.Texts("classlabels_strings") is { Length: > 0 } texts ? OnnxTensor.Create(texts, texts.Length)
            : call.Ints("classlabels_int64s") is { Length: > 0 } numbers ? OnnxTensor.Create(numbers, numbers.Length)
            : throw call.Error("classlabels_strings or classlabels_int64s", "neither");
        if (x.Rank is not (1 or 2) || x.Dims[^1] != labels.Count)
        {
            throw call.Error(string.Create(CultureInfo.InvariantCulture, $"rows of {labels.Count} scores"), x.ToString());
        }

        int rows = x.Count / labels.Count;
        return HostCall.One(new OnnxSequence(Enumerable.Range(0, rows).Select(row => new OnnxMap(labels,
            OnnxTensor.Create(x.Array<float>().AsSpan(row * labels.Count, labels.Count).ToArray(), labels.Count)))));
    }

    /// <summary>The values of a vocabulary's keys, 0 for those that the map does not have.</summary>
    public static OnnxValue?[] DictVectorizer(HostCall call)
    {
        OnnxMap map = Map(call);
        string[]? texts = call.Texts("string_vocabulary");
        long[]? numbers = call.Ints("int64_vocabulary");
        if ((map.Keys.ElementType == OnnxElementType.String ? (object?)texts : numbers) is not Array vocabulary)
        {
            throw call.Error($"a vocabulary of {map.Keys.ElementType.Name()}", "none");
        }

        var places = new Dictionary<object, int>();
        for (int i = 0; i < map.Keys.Count; i++)
        {
            places[map.Keys.Data.GetValue(i)!] = i;
        }

        int[] from = [.. vocabulary.Cast<object>().Select(word => places.GetValueOrDefault(word, -1))];
        OnnxTensor zero = OnnxTensor.Zeros(map.Values.ElementType, [1]);
        return HostCall.One(Shapes.Take(map.Values, from, [1, from.Length], zero));
    }

    /// <summary>The values of a map in the order of its keys, packed or at the places that the keys say.</summary>
    public static OnnxValue?[] CastMap(HostCall call)
    {
        OnnxMap map = Map(call);
        long[] keys = map.Keys.Data as long[] ?? throw call.Error("a map of integer keys", map.ToString());
        OnnxElementType to = call.Text("cast_to", "TO_FLOAT") switch
        {
            "TO_FLOAT" => OnnxElementType.Float32,
            "TO_INT64" => OnnxElementType.Int64,
            "TO_STRING" => OnnxElementType.String,
            var other => throw call.Error("a cast_to of TO_FLOAT, TO_INT64 or TO_STRING", other),
        };
        OnnxTensor values = Numbers.Convert(map.Values, to);
        int[] order = [.. Enumerable.Range(0, keys.Length).OrderBy(i => keys[i])];
        if (call.Text("map_form", "DENSE") == "DENSE")
        {
            return HostCall.One(Shapes.Take(values, order, [1, order.Length]));
        }

        long width = call.Int("max_map", 1);
        if (width is <= 0 or > int.MaxValue || Array.Exists(keys, key => key < 0 || key >= width))
        {
            throw call.Error(string.Create(CultureInfo.InvariantCulture, $"keys from 0 below max_map = {width}"),
                string.Join(", ", keys.Take(10)));
        }

        var from = new int[width];
        Array.Fill(from, -1);
        foreach (int i in order)
        {
            from[keys[i]] = i;
        }

        return HostCall.One(Shapes.Take(values, from, [1, from.Length], OnnxTensor.Zeros(to, [1])));
    }

    private static OnnxMap Map(HostCall call) =>
        call.Value(0) as OnnxMap ?? throw call.Error("a map as input 0", call.Value(0)?.ToString() ?? "none");
}
