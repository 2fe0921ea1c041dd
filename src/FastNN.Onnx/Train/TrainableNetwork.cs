using System.Globalization;
using FastNN.Onnx.Compile;
using FastNN.Onnx.Host;
using FastNN.Onnx.Model;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Train;

/// <summary>
/// An ONNX graph as a layer: its float initializers are parameters, named as in the file and laid out as the engine wants them;
/// it is recorded node by node whenever the layer is.
/// </summary>
internal sealed class TrainableNetwork : MultiInputLayer
{
    /// <summary>What model files call it.</summary>
    public const string Kind = "OnnxGraph";

    private readonly byte[] _file;
    private readonly int _inputCount;
    private readonly bool _channelsLast;
    private readonly GraphDef _definition;
    private readonly HostGraph _graph;
    private readonly bool[] _isImage;
    private readonly List<Parameter> _parameters = [];

    /// <param name="file">The graph; its inputs behind the first are its weights.</param>
    /// <param name="inputCount">How many of the inputs are the network's.</param>
    /// <param name="channelsLast">Whether images have their channels last, as everywhere in the engine.</param>
    public TrainableNetwork(byte[] file, int inputCount, bool channelsLast)
    {
        (_file, _inputCount, _channelsLast) = (file, inputCount, channelsLast);
        Content content = Content.OfMemory(file, "graph");
        ModelDef model = ModelReader.Read(content);
        _definition = model.Graph!;
        _graph = new HostGraphBuilder(model, content, null).Build(_definition);
        _isImage = [.. Enumerable.Range(0, inputCount).Select(IsImage)];
        if (inputCount == 0 || inputCount > _definition.Inputs.Count || _definition.Outputs.Count == 0)
        {
            throw new OnnxException("ToModel: expected a graph with at least one input and one output.");
        }
    }

    /// <summary>Whether the file is for one example, the number of which is left open here.</summary>
    private bool IsSingle => _definition.Inputs[0].Type?.Shape is [{ Value: 1 }, ..];

    /// <summary>The node whose shapes did not fit, where a recording ended so.</summary>
    public string? Refused { get; private set; }

    /// <summary>Whether the file has the channels of an input in front that come last here.</summary>
    public IReadOnlyList<bool> InputsAreFirst => _isImage;

    /// <summary>The same of the outputs, as they were recorded last.</summary>
    public IReadOnlyList<bool> OutputsAreFirst { get; private set; } = [];

    public override int OutputCount => _definition.Outputs.Count;

    internal override IReadOnlyList<string> OutputNames => [.. _definition.Outputs.Select(output => output.Name)];

    /// <summary>The network's inputs.</summary>
    /// <exception cref="OnnxException">One has no shape, or a type that the engine does not compute with.</exception>
    public IReadOnlyList<ModelInput> ModelInputs => [.. Enumerable.Range(0, _inputCount).Select(Input)];

    private static Shape Example(ValueDef input, bool isImage)
    {
        List<DimensionDef> dims = input.Type?.Shape is { Count: > 0 } shape ? shape : throw new OnnxException(
            $"ToModel: expected inputs with an axis of examples, the file has {new OnnxValueInfo(input, false)}.");
        int[] example = [.. dims.Skip(1).Select((dimension, axis) => dimension.IsKnown
            ? checked((int)dimension.Value)
            : Dim.Named(dimension.Symbol is { Length: > 0 } symbol
                ? symbol
                : string.Create(CultureInfo.InvariantCulture, $"{input.Name} {axis + 1}")))];
        return isImage ? new Shape([.. example[1..], example[0]]) : new Shape(example);
    }

    private ModelInput Input(int index)
    {
        ValueDef input = _definition.Inputs[index];
        return Tracer.Inside(input.Type?.Element ?? OnnxElementType.Undefined) is { } type
            ? new ModelInput(input.Name, Example(input, _isImage[index]), type)
            : throw new OnnxException(
                $"ToModel: expected float32, integers or truth values as input, the file has {new OnnxValueInfo(input, false)}.");
    }

    protected override void Build(ReadOnlySpan<Value> inputs)
    {
        for (int i = _inputCount; i < _definition.Inputs.Count; i++)
        {
            int[] dims = [.. _definition.Inputs[i].Type!.Shape!.Select(dimension => checked((int)dimension.Value))];
            (WeightForm form, bool isBuffer) = Uses(_graph.Inputs[i]);
            (Shape shape, ParameterLayout layout) = form switch
            {
                WeightForm.Filter => (new Shape([.. dims[2..], dims[1], dims[0]]), ParameterLayout.Filter),
                WeightForm.Dense => (new Shape(dims[1], dims[0]), ParameterLayout.DenseWeight),
                _ => (new Shape(dims), ParameterLayout.AsIs),
            };
            string name = _definition.Inputs[i].Name;
            _parameters.Add(isBuffer
                ? AddBuffer(name, shape, Initializer.Zeros, layout)
                : AddParameter(name, shape, Initializer.Zeros, layout));
        }
    }

    /// <summary>Gives the parameters the values that the file has.</summary>
    public void Write(IReadOnlyList<(string Name, OnnxTensor Value)> weights)
    {
        for (int i = 0; i < weights.Count; i++)
        {
            Parameter parameter = _parameters[i];
            var values = new float[parameter.Count];
            parameter.Layout.FromFile(parameter.Shape, weights[i].Value.Array<float>(), values);
            parameter.Write(values);
        }
    }

    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        Graph graph = inputs[0].Graph;
        var arguments = new object?[_definition.Inputs.Count];
        for (int i = 0; i < _inputCount; i++)
        {
            OnnxElementType type = _definition.Inputs[i].Type!.Element;
            int[] dims = inputs[i].Shape.ToArray();
            arguments[i] = _isImage[i]
                ? Traced.OfLast(inputs[i], type, [dims[0], dims[^1], .. dims[1..^1]])
                : Traced.OfPlain(inputs[i], type, dims);
        }

        var laidOut = new HashSet<Value>();
        for (int i = 0; i < _parameters.Count; i++)
        {
            Value value = graph.Use(_parameters[i]);
            int[] dims = [.. _definition.Inputs[_inputCount + i].Type!.Shape!.Select(dimension => (int)dimension.Value)];
            if (Uses(_graph.Inputs[_inputCount + i]).Form != WeightForm.AsIs)
            {
                laidOut.Add(value);
            }

            arguments[_inputCount + i] = Traced.OfPlain(value, OnnxElementType.Float32, dims);
        }

        var tracer = new Tracer(_graph, null) { Training = new TrainRules(laidOut, IsSingle) };
        object?[]? outputs;
        try
        {
            outputs = tracer.Record(graph, arguments);
        }
        catch (ShapeException)
        {
            Refused = tracer.Current?.Definition.Title;
            throw;
        }

        if (outputs is null)
        {
            string[] open = [.. _definition.Inputs.Take(_inputCount).SelectMany(input => input.Type!.Shape!.Skip(1))
                .Where(dimension => !dimension.IsKnown && dimension.Symbol is { Length: > 0 })
                .Select(dimension => $"'{dimension.Symbol}'").Distinct()];
            string hint = open.Length == 0
                ? ""
                : $" Its extents {string.Join(", ", open)} are open: give them as {nameof(OnnxImportOptions)}.{nameof(OnnxImportOptions.Extents)}.";
            throw new OnnxException(
                $"ToModel: {tracer.Missing?.Definition.Title ?? "the graph"} cannot be trained in this form.{hint}");
        }

        Traced[] values = [.. outputs.Select((output, i) => output as Traced ?? throw new OnnxException(
            $"ToModel: expected outputs that follow from the inputs, '{_definition.Outputs[i].Name}' is constant."))];
        OutputsAreFirst = [.. values.Select((value, i) => _channelsLast && value.IsLast && !IsTurned(_graph.Outputs[i]))];
        return [.. values.Select((value, i) => OutputsAreFirst[i] ? value.Last : value.Plain)];
    }

    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("inputs", _inputCount).Set("channelsLast", _channelsLast).Set("graph", Convert.ToBase64String(_file));
    }

    /// <summary>Makes the layer as a model file describes it.</summary>
    public static TrainableNetwork Create(LayerDescription description) => new(
        Convert.FromBase64String(description.Text("graph")), description.Int32("inputs"),
        description.Boolean("channelsLast"))
    { Name = description.Name };

    /// <summary>How a weight lies in the engine.</summary>
    private enum WeightForm
    {
        AsIs,
        Filter,
        Dense,
    }

    private (WeightForm Form, bool IsBuffer) Uses(int slot)
    {
        (HostNode Node, int Input)[] uses = [.. _graph.Nodes.SelectMany(node =>
            node.Inputs.Select((read, input) => (node, input, read)).Where(use => use.read == slot)
                .Select(use => (use.node, use.input)))];
        bool All(Func<NodeDef, int, bool> test) =>
            uses.Length > 0 && Array.TrueForAll(uses, use => test(use.Node.Definition, use.Input));
        return (
            All((node, input) => node.Operator is "Conv" or "ConvTranspose" && input == 1) ? WeightForm.Filter
            : All((node, input) => node.Operator == "Gemm" && input == 1
                && node.Attributes.GetValueOrDefault("transB")?.Int == 1) ? WeightForm.Dense
            : WeightForm.AsIs,
            All((node, input) => node.Operator == "BatchNormalization" && input is 3 or 4));
    }

    /// <summary>Whether an input has channels in front: an operator of channels reads it, behind such as do not care.</summary>
    private bool IsImage(int index)
    {
        if (!_channelsLast
            || _definition.Inputs[index].Type is not { Element: OnnxElementType.Float32, Shape.Count: >= 3 and <= 5 })
        {
            return false;
        }

        var seen = new HashSet<int> { _graph.Inputs[index] };
        foreach (HostNode node in _graph.Nodes)
        {
            if (node.Inputs.Length == 0 || !Array.Exists(node.Inputs, seen.Contains))
            {
                continue;
            }

            if (seen.Contains(node.Inputs[0]) && HasChannels(node))
            {
                return true;
            }

            if (KeepsAxes(node))
            {
                seen.UnionWith(node.Outputs);
            }
        }

        return false;
    }

    /// <summary>Whether an output is a sequence [N, T, D] that the file has turned from [N, D, T] itself, so that it is recorded
    /// as one with T channels would be, which it is not.</summary>
    private bool IsTurned(int slot)
    {
        HostNode? Producer() => _graph.Nodes.FirstOrDefault(node => Array.IndexOf(node.Outputs, slot) >= 0);
        HostNode? last = Producer();
        while (last is not null && KeepsAxes(last))
        {
            slot = last.Inputs[0];
            last = Producer();
        }

        return last?.Definition is { Operator: "Transpose" } turn
            && turn.Attributes.GetValueOrDefault("perm")?.Ints is [0, 2, 1];
    }

    private static bool KeepsAxes(HostNode node) => node.Definition.Operator is "Add" or "Sub" or "Mul" or "Div" or "Relu"
        or "Clip" or "Sigmoid" or "Tanh" or "Pad" or "Identity" or "Dropout" or "Cast" or "Slice" or "Concat";

    private bool HasChannels(HostNode node) => node.Definition.Operator switch
    {
        "Conv" or "ConvTranspose" or "MaxPool" or "AveragePool" or "BatchNormalization" or "InstanceNormalization"
            or "GlobalAveragePool" or "GlobalMaxPool" or "LRN" or "Resize" or "Upsample" or "DepthToSpace" or "Flatten"
            or "GridSample" => true,

        // A flattened image.
        "Reshape" => _graph.Nodes.FirstOrDefault(other => Array.IndexOf(other.Outputs, node.Inputs[1]) >= 0) is
        { Definition: { Operator: "Constant", Attributes: var attributes } }
            && attributes.GetValueOrDefault("value")?.Tensor is { Dims: [2] },
        _ => false,
    };
}
