using System.Globalization;
using FastNN.Formats;
using FastNN.Onnx.Passes;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Model;

/// <summary>
/// Writes a model as one file, or as a file and a second one beside it, NAME.data, with the elements of its initializers: the
/// standard's external data, since protobuf has no messages of 2 GiB.
/// </summary>
internal static class ModelStorage
{
    /// <summary>Bytes of elements that one file holds: what is not weights takes some of the 2 GiB.</summary>
    public const long MostBytes = 2_000_000_000;

    /// <summary>Elements of fewer bytes stay in the file; the standard's own tools draw the line here.</summary>
    private const int LeastBytes = 1024;

    /// <summary>Tensors begin at whole pages, so that readers can map them.</summary>
    private const int Alignment = 4096;

    private const int PieceBytes = 1 << 24;

    /// <summary>The model as the bytes of one file.</summary>
    /// <param name="model">The model.</param>
    /// <param name="caller">Who asks, for messages.</param>
    /// <exception cref="OnnxException">One file cannot hold them.</exception>
    public static ReadOnlyMemory<byte> ToBytes(ModelDef model, string caller)
    {
        long bytes = BytesOf(model.Graph!);
        return bytes <= MostBytes
            ? ModelWriter.Write(model)
            : throw new OnnxException(string.Create(
                CultureInfo.InvariantCulture,
                $"{caller}: expected at most {MostBytes} bytes of weights in one file, got {bytes}; write to a path, and they go to a second file."));
    }

    /// <summary>Writes a model. Both files appear whole or not at all; where anything fails, older files of their names
    /// stay.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">Its file.</param>
    /// <param name="external">Whether the elements go to a file of their own in any case.</param>
    /// <param name="limit">How many bytes of elements one file may hold.</param>
    /// <param name="caller">Who asks, for messages.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="OnnxException">What has to stay in the model's file is too much for it.</exception>
    public static void Save(ModelDef model, string path, bool external, long limit, string caller)
    {
        if (!external && BytesOf(model.Graph!) <= limit)
        {
            ReadOnlyMemory<byte> whole = ModelWriter.Write(model);
            AtomicFile.Write(path, stream => stream.Write(whole.Span));
            return;
        }

        string data = $"{path}.data";
        var moved = new List<(ByteRange Elements, long Offset)>();
        GraphDef graph = model.Graph!;
        List<TensorDef> initializers = graph.Initializers.ConvertAll(tensor => Outside(tensor, Path.GetFileName(data), moved));
        ReadOnlyMemory<byte> bytes = ToBytes(model.With(graph.With(initializers)), caller);

        // The model's own file is there, but for its name, before the other one gets its name: what can fail has been done.
        AtomicFile.Write(path, stream =>
        {
            stream.Write(bytes.Span);
            stream.Flush();
            AtomicFile.Write(data, weights => Write(weights, moved));
        });
    }

    private static TensorDef Outside(TensorDef tensor, string location, List<(ByteRange Elements, long Offset)> moved)
    {
        long listed = tensor.Lists.Sum(list => list.Range.Length);
        if (tensor.Raw is null && listed >= LeastBytes && TensorDecoder.Decode(tensor, null) is var value
            && InitializerDef.CanHold(value) && value.ElementType != OnnxElementType.String)
        {
            tensor = InitializerDef.Of(tensor.Name, value);
        }

        if (tensor.Raw is not { Length: >= LeastBytes } elements)
        {
            return tensor;
        }

        long end = moved.Count == 0 ? 0 : moved[^1].Offset + moved[^1].Elements.Length;
        long offset = (end + Alignment - 1) / Alignment * Alignment;
        moved.Add((elements, offset));
        var outside = new TensorDef
        {
            Name = tensor.Name,
            Type = tensor.Type,
            Content = tensor.Content,
            External = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["location"] = location,
                ["offset"] = offset.ToString(CultureInfo.InvariantCulture),
                ["length"] = elements.Length.ToString(CultureInfo.InvariantCulture),
            },
        };
        outside.Dims.AddRange(tensor.Dims);
        return outside;
    }

    private static void Write(Stream stream, List<(ByteRange Elements, long Offset)> moved)
    {
        long place = 0;
        Span<byte> zeros = stackalloc byte[Alignment];
        zeros.Clear();
        foreach ((ByteRange elements, long offset) in moved)
        {
            stream.Write(zeros[..(int)(offset - place)]);
            for (long at = 0; at < elements.Length; at += PieceBytes)
            {
                int count = (int)Math.Min(PieceBytes, elements.Length - at);
                stream.Write(elements.Content.Slice(elements.Offset + at, count));
            }

            place = offset + elements.Length;
        }
    }

    /// <summary>Bytes of all elements in a graph, those of its nodes' attributes included.</summary>
    private static long BytesOf(GraphDef graph) =>
        graph.Initializers.Sum(BytesOf)
        + graph.SparseInitializers.Sum(sparse => BytesOf(sparse.Values) + BytesOf(sparse.Indices))
        + graph.Nodes.SelectMany(node => node.Attributes.Values).Sum(BytesOf);

    private static long BytesOf(AttributeDef attribute) =>
        BytesOf(attribute.Tensor) + attribute.Tensors.Sum(BytesOf)
        + (attribute.Graph is { } body ? BytesOf(body) : 0) + attribute.Graphs.Sum(BytesOf)
        + ((long)sizeof(float) * attribute.Floats.Count) + ((long)sizeof(long) * attribute.Ints.Count);

    private static long BytesOf(TensorDef? tensor) =>
        tensor is null ? 0 : (tensor.Raw?.Length ?? 0) + tensor.Lists.Sum(list => list.Range.Length);
}
