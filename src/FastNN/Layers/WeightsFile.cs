using FastNN.Formats;

namespace FastNN.Layers;

/// <summary>A model's parameters in a safetensors file, under the model's names and in PyTorch's order.</summary>
internal static class WeightsFile
{
    /// <summary>Puts all parameters into a file to be written. One at a time is held in memory, while it is written.</summary>
    /// <exception cref="InvalidOperationException">A parameter has no values, or one that is not finite.</exception>
    public static void Add(SafetensorsWriter writer, Layer model, bool allowNonFinite)
    {
        foreach ((string name, Parameter parameter) in model.NamedParameters)
        {
            ParameterFile.RequireFinite(name, parameter, allowNonFinite);
            Func<float[]> read = () => ParameterFile.Read(name, parameter, allowNonFinite);
            writer.Add(name, SafetensorsType.F32, parameter.Layout.FileShape(parameter.Shape).ToArray(), new Source(read).Give);
        }
    }

    /// <summary>Loads parameters; all are checked before the first is replaced.</summary>
    /// <exception cref="FileFormatException">The file does not fit where it has to, or holds numbers that are not
    /// finite.</exception>
    public static LoadResult Load(Layer model, SafetensorsReader reader, LoadOptions options)
    {
        Dictionary<string, SafetensorsTensor> tensors = Rename(reader, options);
        var parameters = model.NamedParameters.ToDictionary(named => named.Parameter, named => named.Name);
        var found = new Dictionary<Parameter, SafetensorsTensor>();
        var used = new HashSet<SafetensorsTensor>();
        foreach ((string name, Parameter parameter) in LayerTree.Aliases(model))
        {
            // A shared parameter may stand under any of its names, or under all of them.
            if (tensors.TryGetValue(name, out SafetensorsTensor? tensor))
            {
                found.TryAdd(parameter, tensor);
                used.Add(tensor);
            }
        }

        List<string> missing = [.. parameters.Where(named => !found.ContainsKey(named.Key)).Select(named => named.Value)];
        List<string> wrong = [.. found.Where(pair => !Fits(pair.Key, pair.Value)).Select(pair => parameters[pair.Key])];
        SafetensorsTensor[] unexpected = [.. reader.Tensors.Where(tensor => !used.Contains(tensor))];
        if (options.Strict)
        {
            RequireAll(reader, missing, unexpected, found);
        }

        var values = new List<(Parameter Parameter, float[] Values)>();
        float[] scratch = [];
        foreach ((Parameter parameter, SafetensorsTensor tensor) in found)
        {
            if (Fits(parameter, tensor))
            {
                values.Add((parameter, ParameterFile.Load(reader, tensor.Name, parameter, ref scratch, options.AllowNonFinite)));
            }
        }

        foreach ((Parameter parameter, float[] loaded) in values)
        {
            parameter.Adopt(loaded);
        }

        return new LoadResult(
            [.. values.Select(value => parameters[value.Parameter])], missing, [.. unexpected.Select(tensor => tensor.Name)],
            wrong);
    }

    private static Dictionary<string, SafetensorsTensor> Rename(SafetensorsReader reader, LoadOptions options)
    {
        var tensors = new Dictionary<string, SafetensorsTensor>(StringComparer.Ordinal);
        foreach (SafetensorsTensor tensor in reader.Tensors)
        {
            string? name = options.Rename is null ? tensor.Name : options.Rename(tensor.Name);
            if (name is not null && !tensors.TryAdd(name, tensor))
            {
                throw new FileFormatException(
                    reader.FilePath, tensor.Offset, "tensors whose names differ when they are renamed",
                    $"{Quote.Text(tensor.Name)} and {Quote.Text(tensors[name].Name)}, both for {Quote.Text(name)}");
            }
        }

        return tensors;
    }

    private static bool Fits(Parameter parameter, SafetensorsTensor tensor) =>
        tensor.Shape.SequenceEqual(parameter.Layout.FileShape(parameter.Shape).ToArray());

    private static void RequireAll(
        SafetensorsReader reader, List<string> missing, SafetensorsTensor[] unexpected, Dictionary<Parameter,
        SafetensorsTensor> found)
    {
        if (unexpected.Length > 0)
        {
            throw new FileFormatException(
                reader.FilePath, unexpected[0].Offset, "only this model's parameters",
                $"tensor {Quote.Text(unexpected[0].Name)}, which the model does not have");
        }

        if (missing.Count > 0)
        {
            throw new FileFormatException(
                reader.FilePath, sizeof(ulong), $"a tensor '{missing[0]}'", $"{reader.Tensors.Count} tensors of other names");
        }

        foreach ((Parameter parameter, SafetensorsTensor tensor) in found)
        {
            if (!Fits(parameter, tensor))
            {
                throw new FileFormatException(
                    reader.FilePath, tensor.Offset,
                    $"tensor {Quote.Text(tensor.Name)} of shape {parameter.Layout.FileShape(parameter.Shape)}",
                    $"shape {Quote.Shape(tensor.Shape)}");
            }
        }
    }

    /// <summary>Reads a parameter when its first byte is written, and forgets it with its last.</summary>
    private sealed class Source(Func<float[]> read)
    {
        private float[]? _values;

        public void Give(long firstByte, Span<byte> destination)
        {
            _values ??= read();
            var first = (int)(firstByte / sizeof(float));
            Span<float> target = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(destination);
            _values.AsSpan(first, target.Length).CopyTo(target);
            if (first + target.Length == _values.Length)
            {
                _values = null;
            }
        }
    }
}
