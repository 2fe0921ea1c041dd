using System.Globalization;

namespace FastNN;

/// <summary>Ways from models and graphs to what computes them.</summary>
public static class InferenceExtensions
{
    /// <summary>Compiles a recorded graph, so that it can be run.</summary>
    /// <param name="graph">A graph recorded for inference; its parameters' present values are copied.</param>
    /// <param name="device">Where to run; it must outlive the session.</param>
    /// <param name="outputs">What to compute, named "output", "output1" and so on.</param>
    /// <param name="options">What the session may keep; null for the defaults.</param>
    /// <returns>The session.</returns>
    /// <exception cref="ArgumentException">The graph was recorded for training, or an output is not its own.</exception>
    public static Session Compile(this Graph graph, Device device, IReadOnlyList<Value> outputs, SessionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        return graph.Compile(
            device,
            [
                .. outputs.Select(
                    (value, i) => (i == 0 ? "output" : string.Create(CultureInfo.InvariantCulture, $"output{i}"), value))],
            options);
    }

    /// <summary>Compiles a recorded graph, so that it can be run.</summary>
    /// <param name="graph">A graph recorded for inference; its parameters' present values are copied.</param>
    /// <param name="device">Where to run; it must outlive the session.</param>
    /// <param name="outputs">What to compute, with names.</param>
    /// <param name="options">What the session may keep; null for the defaults.</param>
    /// <returns>The session.</returns>
    /// <exception cref="ArgumentException">The graph was recorded for training, an output is not its own, or two have one
    /// name.</exception>
    public static Session Compile(
        this Graph graph, Device device, IReadOnlyList<(string Name, Value Value)> outputs, SessionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(outputs);
        return new Session(device.Implementation, graph, outputs, options);
    }

    /// <summary>
    /// Compiles a model for inference: recorded once, for any number of examples per call. A <see cref="Model.Preprocessing"/> is
    /// part of what is computed unless the options say otherwise, so inputs are raw.
    /// </summary>
    /// <param name="model">A built model; its present parameters are copied.</param>
    /// <param name="device">Where to run; it must outlive the session.</param>
    /// <param name="options">What the session may keep; null for the defaults.</param>
    /// <returns>The session.</returns>
    /// <exception cref="InvalidOperationException">The model is not built, or has preprocessing and several inputs.</exception>
    /// <exception cref="ShapeException">The preprocessing does not fit the input.</exception>
    public static Session CreateSession(this Layer model, Device device, SessionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        return Record(model, device.Implementation, options);
    }

    /// <summary>Compiles a model with one input and one output for inference, with a copy of the present parameters.</summary>
    /// <param name="model">A built model.</param>
    /// <param name="device">Where to run; it must outlive the predictor.</param>
    /// <param name="maxBatch">Larger batches are computed in pieces of this many examples; default 256.</param>
    /// <param name="applyPreprocessing">Whether a <see cref="Model.Preprocessing"/> is applied, so that inputs are raw; default
    /// true.</param>
    /// <returns>An immutable predictor, safe for concurrent callers.</returns>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    /// <exception cref="ShapeException">The preprocessing does not fit the input.</exception>
    public static Predictor CreatePredictor(this Layer model, Device device, int maxBatch = 256, bool applyPreprocessing = true)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        return new Predictor(model, device.Implementation, maxBatch, applyPreprocessing);
    }

    /// <summary>
    /// Compiles a causal model of tokens for generation: keys and values of the positions so far are kept, so that a further
    /// token costs one position.
    /// </summary>
    /// <param name="model">A built model of tokens Int32 [N, T] that gives logits [N, T, vocabulary], where T is a symbol
    /// (<see cref="Dim"/>); its present parameters are copied. Inputs behind the tokens, of known extents, are the same for all
    /// positions.</param>
    /// <param name="device">Where to run; it must outlive the decoder.</param>
    /// <param name="context">The most positions of a sequence, for which memory is taken.</param>
    /// <param name="batch">Sequences side by side; default 1.</param>
    /// <returns>The decoder, without any position yet.</returns>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    /// <exception cref="ArgumentException">Its first input is not Int32, or another one is of unknown extents or of another type
    /// than Float32 and Int32.</exception>
    /// <exception cref="ShapeException">Its positions see one another otherwise than in causal self-attention, or are fewer than
    /// the context.</exception>
    public static Decoder CreateDecoder(this Layer model, Device device, int context, int batch = 1)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        return new Decoder(model, device.Implementation, context, batch);
    }

    internal static Session Record(
        Layer model, Kernels.IDevice device, SessionOptions? options, Graphs.ParameterStore? live = null)
    {
        IReadOnlyList<ModelInput> signature = model.Signature
            ?? throw new InvalidOperationException(
                "Session: the model is not built; call model.Build(shape of one example), or train or load it first.");
        var graph = new Graph(GraphMode.Inference);
        Value[] inputs = [.. signature.Select(input => graph.Input(input.Shape.Prepend(Dim.Batch), input.Type, input.Name))];
        if ((options?.ApplyPreprocessing ?? true) && (model as Model)?.Preprocessing is { } preprocessing)
        {
            inputs = inputs.Length == 1
                ? [preprocessing.Record(inputs[0])]
                : throw new InvalidOperationException(
                    $"Session: expected preprocessing on a model of one input, this has {inputs.Length}; set ApplyPreprocessing to false, or Model.Preprocessing to null.");
        }

        IReadOnlyList<Value> outputs = model.Apply(inputs);
        return new Session(device, graph, [.. outputs.Select((value, i) => (model.OutputNames[i], value))], options, live);
    }
}
