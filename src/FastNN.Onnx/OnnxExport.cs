using System.Globalization;
using System.Reflection;
using FastNN.Onnx.Export;
using FastNN.Onnx.Model;
using FastNN.Onnx.Train;

namespace FastNN.Onnx;

/// <summary>How a model is written as ONNX.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>
    /// Whether inputs and outputs keep the engine's order, [N, H, W, C]; default false: images, sequences and volumes with
    /// channels have them in front, [N, C, H, W], as ONNX's operators want them. Those of a network that was read from an
    /// ONNX file lie as in that file.
    /// </summary>
    public bool ChannelsLast { get; init; }

    /// <summary>Whether a <see cref="FastNN.Model.Preprocessing"/> is part of the file, so that its inputs are raw; default
    /// true.</summary>
    public bool ApplyPreprocessing { get; init; } = true;

    /// <summary>
    /// Whether the lengths of sequences become symbols of the file where the model can be recorded so; default true. These are
    /// the first axes of inputs [T] of integers and [T, D] of floats. Other extents are those that the model was built for.
    /// </summary>
    public bool DynamicLengths { get; init; } = true;

    /// <summary>
    /// Whether a file that is written to a path has its weights in a second file beside it, with ".data" behind its name: the
    /// standard's external data. Default false: only where the weights are more than one file can hold, 2 GB.
    /// </summary>
    public bool ExternalData { get; init; }

    /// <summary>How many bytes of weights one file holds.</summary>
    internal long InlineLimit { get; init; } = ModelStorage.MostBytes;
}

/// <summary>
/// Writes models of the library as ONNX files, in inference form: dropout is gone, batch normalization has its running
/// statistics. The number of examples is the symbol "batch". Parameters keep their names.
/// </summary>
public static class OnnxExport
{
    /// <summary>The first opset that can be written.</summary>
    public const int MinOpset = 17;

    /// <summary>The last opset that can be written.</summary>
    public const int MaxOpset = 21;

    /// <summary>Writes a model. The file is replaced as a whole, or stays as it was; so is the second one with its weights, where
    /// there is one (<see cref="OnnxExportOptions.ExternalData"/>).</summary>
    /// <param name="model">A built model.</param>
    /// <param name="path">The file.</param>
    /// <param name="opset">The version of ONNX's operators, 17 to 21.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="OnnxException">The model has an operator that ONNX has not; nothing is written.</exception>
    /// <exception cref="InvalidOperationException">The model is not built, or has preprocessing and several inputs.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The opset is none of those.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void ExportOnnx(this Layer model, string path, int opset = MinOpset, OnnxExportOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new OnnxExportOptions();
        ModelStorage.Save(
            Write(model, opset, options).Model, path, options.ExternalData, options.InlineLimit, nameof(ExportOnnx));
    }

    /// <summary>Writes a model to a stream.</summary>
    /// <param name="model">A built model.</param>
    /// <param name="stream">The stream, which stays open.</param>
    /// <param name="opset">The version of ONNX's operators, 17 to 21.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="OnnxException">The model has an operator that ONNX has not, or more weights than one file can hold;
    /// nothing is written.</exception>
    /// <exception cref="InvalidOperationException">The model is not built, or has preprocessing and several inputs.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The opset is none of those.</exception>
    public static void ExportOnnx(this Layer model, Stream stream, int opset = MinOpset, OnnxExportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(ModelStorage.ToBytes(Write(model, opset, options).Model, nameof(ExportOnnx)).Span);
    }

    /// <summary>Writes a graph that was recorded for inference. Its inputs keep their names.</summary>
    /// <param name="graph">The graph; its parameters' present values are written.</param>
    /// <param name="stream">The stream, which stays open.</param>
    /// <param name="outputs">What the file computes, by name.</param>
    /// <param name="opset">The version of ONNX's operators, 17 to 21.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="OnnxException">The graph has an operator that ONNX has not, or more weights than one file can hold;
    /// nothing is written.</exception>
    /// <exception cref="ArgumentException">The graph was recorded for training, there is no output, two have one name, or one is
    /// of another graph.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The opset is none of those.</exception>
    public static void ExportOnnx(
        this Graph graph, Stream stream, IReadOnlyList<(string Name, Value Value)> outputs, int opset = MinOpset,
        OnnxExportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(stream);
        if (graph.Mode != GraphMode.Inference)
        {
            throw new ArgumentException(
                "ExportOnnx: expected a graph recorded for inference, got one for training.", nameof(graph));
        }

        stream.Write(ModelStorage.ToBytes(Write(graph, outputs, opset, options).Model, nameof(ExportOnnx)).Span);
    }

    /// <summary>A file to be, and how its inputs and outputs lie.</summary>
    internal sealed record Written(ModelDef Model, GraphExporter.Result Ports);

    internal static Written Write(
        Graph graph, IReadOnlyList<(string Name, Value Value)> outputs, int opset, OnnxExportOptions? options)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        RequireOpset(opset);
        if (outputs.Count == 0 || outputs.DistinctBy(output => output.Name).Count() != outputs.Count
            || outputs.Any(output => output.Value.Graph != graph || string.IsNullOrEmpty(output.Name)))
        {
            throw new ArgumentException(
                $"ExportOnnx: expected values of the graph, each with a name of its own, got {string.Join(", ", outputs.Select(output => $"'{output.Name}'"))}.",
                nameof(outputs));
        }

        GraphExporter.Result result = GraphExporter.Write(
            [.. graph.Inputs.Select(input => (input.Name!, input))], outputs, parameter => parameter.Name, opset,
            options?.ChannelsLast ?? false);
        return new Written(File(result, opset), result);
    }

    internal static Written Write(Layer model, int opset, OnnxExportOptions? options)
    {
        ArgumentNullException.ThrowIfNull(model);
        RequireOpset(opset);
        options ??= new OnnxExportOptions();
        IReadOnlyList<ModelInput> signature = model.Signature ?? throw new InvalidOperationException(
            "ExportOnnx: the model is not built; call model.Build(shape of one example), or train or load it first.");
        var names = new Dictionary<Parameter, string>();
        foreach (NamedParameter named in model.NamedParameters)
        {
            names.TryAdd(named.Parameter, named.Name);
        }

        (Value[] inputs, (string, Value)[] outputs) = ExportRecording.Record(model, signature, options);
        GraphExporter.Result result = GraphExporter.Write(
            [.. inputs.Select(input => (input.Name!, input))], outputs,
            parameter => names.GetValueOrDefault(parameter, parameter.Name), opset, options.ChannelsLast,
            model is FastNN.Model { Preprocessing: null, Wrapped: TrainableNetwork origin } ? origin : null);
        ModelDef file = File(result, opset);
        if (model is FastNN.Model { ClassNames: { Count: > 0 } classes })
        {
            for (int i = 0; i < classes.Count; i++)
            {
                file.Metadata.Add(string.Create(CultureInfo.InvariantCulture, $"class.{i}"), classes[i]);
            }
        }

        return new Written(file, result);
    }

    private static ModelDef File(GraphExporter.Result result, int opset)
    {
        string version = typeof(OnnxExport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+')[0] ?? "0";
        return new ModelDef
        {
            // The oldest version of the format that has the opset, so that the oldest readers read it.
            IrVersion = opset switch { <= 18 => 8, <= 20 => 9, _ => 10 },
            Producer = "FastNN",
            ProducerVersion = version,
            Opsets = { [""] = opset },
            Metadata = { ["producer"] = "FastNN", ["version"] = version },
            Graph = result.Graph,
        };
    }

    private static void RequireOpset(int opset)
    {
        if (opset is < MinOpset or > MaxOpset)
        {
            throw new ArgumentOutOfRangeException(
                nameof(opset), opset, $"ExportOnnx: expected an opset from {MinOpset} to {MaxOpset}.");
        }
    }
}
