using System.Globalization;

namespace FastNN.Onnx.Host;

/// <summary>Operators of the domain ai.onnx.ml that prepare features and labels.</summary>
internal static class Classics
{
    /// <summary>Places of the last axis, by an input of indices.</summary>
    public static OnnxValue?[] ArrayFeatureExtractor(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        long[] places = call.Longs(1) ?? throw call.Error("indices as input 1", "none");
        int extent = x.Rank == 0 ? 1 : x.Dims[^1], rows = extent == 0 ? 0 : x.Count / extent;
        var from = new int[rows * places.Length];
        for (int i = 0; i < from.Length; i++)
        {
            long place = places[i % places.Length];
            if (place < 0 || place >= extent)
            {
                throw call.Error(string.Create(CultureInfo.InvariantCulture, $"indices from 0 to {extent - 1}"),
                    string.Create(CultureInfo.InvariantCulture, $"{place}"));
            }

            from[i] = (i / places.Length * extent) + (int)place;
        }

        int[] dims = x.Rank <= 1 ? [1, places.Length] : [.. x.Dims[..^1], places.Length];
        return HostCall.One(Shapes.Take(x, from, dims));
    }

    /// <summary>1 above the threshold, else 0.</summary>
    public static OnnxValue?[] Binarizer(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        float threshold = call.Float("threshold", 0);
        return HostCall.One(Normalizations.Rounded(
            Array.ConvertAll(Numbers.Doubles(x), value => value > threshold ? 1.0 : 0), x.Dims, x.ElementType));
    }

    /// <summary>(x - offset) scale, per feature or for all.</summary>
    public static OnnxValue?[] Scaler(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        float[] offset = call.Floats("offset") ?? [0], scale = call.Floats("scale") ?? [1];
        int features = x.Rank == 0 ? 1 : x.Dims[^1];
        if ((offset.Length != 1 && offset.Length != features) || (scale.Length != 1 && scale.Length != features))
        {
            throw call.Error(string.Create(CultureInfo.InvariantCulture, $"1 or {features} offsets and scales"),
                string.Create(CultureInfo.InvariantCulture, $"{offset.Length} and {scale.Length}"));
        }

        float[] y = Numbers.Floats(x).AsSpan().ToArray();
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = (y[i] - offset[i % features % offset.Length]) * scale[i % features % scale.Length];
        }

        return HostCall.One(OnnxTensor.Create(y, x.Dims));
    }

    /// <summary>Rows over their largest magnitude, their sum of magnitudes, or their length.</summary>
    public static OnnxValue?[] Normalizer(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        string norm = call.Text("norm", "MAX");
        double[] y = (double[])Numbers.Doubles(x).Clone();
        int features = x.Rank == 0 ? 1 : x.Dims[^1];
        for (int at = 0; at < y.Length; at += features)
        {
            Span<double> row = y.AsSpan(at, features);
            double size = 0;
            foreach (double value in row)
            {
                size = norm switch
                {
                    "MAX" => Math.Max(size, value),
                    "L1" => size + Math.Abs(value),
                    "L2" => size + (value * value),
                    _ => throw call.Error("a norm of MAX, L1 or L2", norm),
                };
            }

            size = norm == "L2" ? Math.Sqrt(size) : size;
            for (int i = 0; i < features && size != 0; i++)
            {
                row[i] /= size;
            }
        }

        return HostCall.One(Normalizations.Rounded(y, x.Dims, OnnxElementType.Float32));
    }

    /// <summary>Replaces one value, such as NaN, by another per feature.</summary>
    public static OnnxValue?[] Imputer(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        bool integers = x.ElementType == OnnxElementType.Int64;
        double[] by = integers
            ? [.. (call.Ints("imputed_value_int64s") ?? []).Select(value => (double)value)]
            : [.. (call.Floats("imputed_value_floats") ?? []).Select(value => (double)value)];
        double gone = integers ? call.Int("replaced_value_int64", 0) : call.Float("replaced_value_float", 0);
        int features = x.Rank == 0 ? 1 : x.Dims[^1];
        if (by.Length != 1 && by.Length != features)
        {
            throw call.Error(string.Create(CultureInfo.InvariantCulture, $"1 or {features} imputed values of the input's type"),
                string.Create(CultureInfo.InvariantCulture, $"{by.Length}"));
        }

        double[] y = (double[])Numbers.Doubles(x).Clone();
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = y[i].Equals(gone) || y[i] == gone ? by[i % features % by.Length] : y[i];
        }

        return HostCall.One(Normalizations.Rounded(y, x.Dims, x.ElementType));
    }

    /// <summary>A row of zeros with a 1 at the category.</summary>
    public static OnnxValue?[] OneHotEncoder(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        string[] texts = call.Texts("cats_strings") ?? [];
        long[] numbers = call.Ints("cats_int64s") ?? [];
        bool isText = x.ElementType == OnnxElementType.String;
        int categories = isText ? texts.Length : numbers.Length;
        long[] values = isText ? [] : (long[])Numbers.Convert(x, OnnxElementType.Int64).Data;
        var y = new float[x.Count * categories];
        for (int i = 0; i < x.Count; i++)
        {
            int at = isText ? Array.IndexOf(texts, x.Array<string>()[i]) : Array.IndexOf(numbers, values[i]);
            if (at >= 0)
            {
                y[(i * categories) + at] = 1;
            }
            else if (call.Int("zeros", 1) == 0)
            {
                throw call.Error("one of the node's categories",
                    isText ? x.Array<string>()[i] : values[i].ToString(CultureInfo.InvariantCulture));
            }
        }

        return HostCall.One(OnnxTensor.Create(y, [.. x.Dims, categories]));
    }

    /// <summary>Columns of several inputs, one behind the other, as float32.</summary>
    public static OnnxValue?[] FeatureVectorizer(HostCall call)
    {
        var parts = new List<OnnxTensor>();
        for (int i = 0; i < call.InputCount; i++)
        {
            OnnxTensor part = Numbers.Convert(call.Tensor(i), OnnxElementType.Float32);
            int rows = part.Rank < 2 ? 1 : part.Dims[0];
            parts.Add(part.WithDims([rows, rows == 0 ? 0 : part.Count / rows]));
        }

        return HostCall.One(Shapes.Concat(call, parts, 1));
    }

    /// <summary>Maps keys to values by parallel lists (versions 2 and 4), or labels to their places and back (version
    /// 1).</summary>
    public static OnnxValue?[] LabelEncoder(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        if (call.Texts("classes_strings") is { } classes)
        {
            bool isText = x.ElementType == OnnxElementType.String;
            OnnxTensor names = OnnxTensor.Create(classes, classes.Length),
                places = OnnxTensor.Create([.. Enumerable.Range(0, classes.Length).Select(i => (long)i)], classes.Length);
            return isText
                ? HostCall.One(Mapped(call, x, names, places, OnnxTensor.Create([call.Int("default_int64", -1)])))
                : HostCall.One(Mapped(call, x, places, names, OnnxTensor.Create([call.Text("default_string", "_Unused")])));
        }

        OnnxTensor keys = List(call, "keys"), values = List(call, "values");
        if (keys.Count != values.Count)
        {
            throw call.Error("as many values as keys",
                string.Create(CultureInfo.InvariantCulture, $"{keys.Count} keys and {values.Count} values"));
        }

        OnnxTensor otherwise = call.TensorAttribute("default_tensor") is { Count: 1 } given ? given
            : values.ElementType switch
            {
                OnnxElementType.String => OnnxTensor.Create([call.Text("default_string", "_Unused")]),
                OnnxElementType.Float32 => OnnxTensor.Create([call.Float("default_float", -0f)]),
                OnnxElementType.Float64 => OnnxTensor.Create([-0.0]),
                var type => Numbers.Convert(OnnxTensor.Create([call.Int("default_int64", -1)]), type),
            };
        return HostCall.One(Mapped(call, x, keys, values, otherwise));
    }

    /// <summary>Text to integers and back, by parallel lists.</summary>
    public static OnnxValue?[] CategoryMapper(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        string[] names = call.Texts("cats_strings") ?? [];
        long[] numbers = call.Ints("cats_int64s") ?? [];
        if (names.Length != numbers.Length)
        {
            throw call.Error("as many cats_int64s as cats_strings",
                string.Create(CultureInfo.InvariantCulture, $"{numbers.Length} and {names.Length}"));
        }

        OnnxTensor texts = OnnxTensor.Create(names, names.Length), integers = OnnxTensor.Create(numbers, numbers.Length);
        return x.ElementType == OnnxElementType.String
            ? HostCall.One(Mapped(call, x, texts, integers, OnnxTensor.Create([call.Int("default_int64", -1)])))
            : HostCall.One(Mapped(call, x, integers, texts, OnnxTensor.Create([call.Text("default_string", "_Unused")])));
    }

    private static OnnxTensor List(HostCall call, string name) =>
        call.TensorAttribute($"{name}_tensor") is { } tensor ? tensor
        : call.Texts($"{name}_strings") is { } texts ? OnnxTensor.Create(texts, texts.Length)
        : call.Ints($"{name}_int64s") is { } integers ? OnnxTensor.Create(integers, integers.Length)
        : call.Floats($"{name}_floats") is { } floats ? OnnxTensor.Create(floats, floats.Length)
        : throw call.Error($"{name}_tensor, {name}_strings, {name}_int64s or {name}_floats", "none of them");

    private static OnnxTensor Mapped(HostCall call, OnnxTensor x, OnnxTensor keys, OnnxTensor values, OnnxTensor otherwise)
    {
        if (x.ElementType != keys.ElementType)
        {
            throw call.Error($"keys of {x.ElementType.Name()}", keys.ElementType.Name());
        }

        // A later key takes the place of an earlier one; boxed NaNs equal each other whatever their bits.
        var places = new Dictionary<object, int>();
        for (int i = 0; i < keys.Count; i++)
        {
            places[Key(keys.Data.GetValue(i)!)] = i;
        }

        var from = new int[x.Count];
        for (int i = 0; i < from.Length; i++)
        {
            from[i] = places.GetValueOrDefault(Key(x.Data.GetValue(i)!), -1);
        }

        return Shapes.Take(values, from, x.Dims, otherwise);
    }

    // 0 and -0 are one key.
    private static object Key(object value) => value switch
    {
        float and 0f => 0f,
        double and 0.0 => 0.0,
        _ => value,
    };
}
