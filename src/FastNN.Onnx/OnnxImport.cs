using FastNN.Onnx.Model;
using FastNN.Onnx.Train;

namespace FastNN.Onnx;

/// <summary>How an ONNX file becomes a model of the library.</summary>
public sealed record OnnxImportOptions
{
    /// <summary>
    /// Whether images, and sequences that convolutions read, go in and come out with their channels last, [N, H, W, C], as
    /// everywhere in the library; default true. Otherwise they lie as in the file, [N, C, H, W].
    /// </summary>
    public bool ChannelsLast { get; init; } = true;

    /// <summary>
    /// Numbers for extents that the file leaves open, by the names that it has for them, such as the length of the sequences to
    /// train on; others stay symbols. The number of examples, the first axis, is always open.
    /// </summary>
    public IReadOnlyDictionary<string, int> Extents { get; init; } = new Dictionary<string, int>();
}

/// <summary>Makes models of ONNX files.</summary>
internal static class OnnxImport
{
    private static int registered;

    public static FastNN.Model Import(ModelDef definition, ExternalData? external, OnnxImportOptions options)
    {
        Register();
        (byte[] file, int inputs, List<(string Name, OnnxTensor Value)> weights) = TrainableFile.Split(
            definition, external, options.Extents);
        var network = new TrainableNetwork(file, inputs, options.ChannelsLast);
        try
        {
            FastNN.Model model = FastNN.Model.Of(network, network.ModelInputs);
            network.Write(weights);
            return model;
        }
        catch (ShapeException exception)
        {
            string node = network.Refused is { } title ? $"{title}: " : "";
            throw new OnnxException($"ToModel: {node}{exception.Message}{FixedExamples(definition)}", exception);
        }
        catch (OnnxException exception) when (!exception.Message.StartsWith("ToModel: ", StringComparison.Ordinal))
        {
            // What a rule says of extents that are symbols here does not know what it was asked for.
            throw new OnnxException($"ToModel: {exception.Message}", exception);
        }
    }

    // The commonest reason why shapes do not fit here that do in a session.
    private static string FixedExamples(ModelDef definition) => definition.Graph!.Inputs.Select(input => input.Type?.Shape)
        .FirstOrDefault(shape => shape is { Count: > 0 }) is [{ IsKnown: true } examples, ..]
        ? $" The file fixes the number of examples at {examples.Value}, which ToModel leaves open: export it with that axis open."
        : "";

    /// <summary>Model files may hold imported networks from now on.</summary>
    public static void Register()
    {
        if (Interlocked.Exchange(ref registered, 1) == 0)
        {
            LayerKinds.Register(TrainableNetwork.Kind, TrainableNetwork.Create);
        }
    }
}
