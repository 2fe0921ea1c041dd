using FastNN.Onnx.Model;
using FastNN.Onnx.Passes;

namespace FastNN.Onnx.Contrib;

/// <summary>A function's body while it is written: nodes of the standard, one behind the other.</summary>
internal sealed class FunctionBody(NodeDef caller)
{
    // Has Attention with caches, RMSNormalization, RotaryEmbedding and Swish.
    private const long Opset = 24;

    private readonly FunctionDef _function = new()
    {
        Name = caller.Operator,
        Domain = caller.Domain,
        Opsets = { [""] = Opset },
    };

    private int _fresh;

    /// <summary>Whether the calling node has an input.</summary>
    public bool Has(int input) => input < caller.Inputs.Count && caller.Inputs[input].Length > 0;

    /// <summary>The function's name for an input of the calling node; empty where it has none.</summary>
    public string In(int input)
    {
        while (_function.Inputs.Count <= input)
        {
            _function.Inputs.Add($"in{_function.Inputs.Count}");
        }

        return Has(input) ? _function.Inputs[input] : "";
    }

    public long Int(string name, long otherwise) => PassGraph.Int(caller, name, otherwise);

    public float Float(string name, float otherwise) => PassGraph.Float(caller, name, otherwise);

    public string Text(string name, string otherwise) => PassGraph.Text(caller, name, otherwise);

    public AttributeDef? Attribute(string name) => caller.Attributes.GetValueOrDefault(name);

    /// <summary>Adds a node with one output.</summary>
    /// <returns>The output's name.</returns>
    public string Add(string name, string[] inputs, params ReadOnlySpan<AttributeDef> attributes) =>
        Add(name, inputs, 1, attributes)[0];

    /// <summary>Adds a node with several outputs.</summary>
    /// <returns>Their names.</returns>
    public string[] Add(string name, string[] inputs, int outputs, params ReadOnlySpan<AttributeDef> attributes)
    {
        var node = new NodeDef
        {
            Name = caller.Name,
            Operator = name,
            Inputs = [.. inputs],
            Outputs = [.. Enumerable.Range(0, outputs).Select(_ => $"t{_fresh++}")],
        };
        foreach (AttributeDef attribute in attributes)
        {
            node.Attributes.Add(attribute.Name, attribute);
        }

        _function.Nodes.Add(node);
        return [.. node.Outputs];
    }

    public string Constant(OnnxTensor value) => Add("Constant", [], new AttributeDef
    {
        Name = "value",
        Kind = AttributeKind.Tensor,
        Tensor = InitializerDef.Of("value", value),
    });

    public string Longs(params long[] values) => Constant(OnnxTensor.Create(values, values.Length));

    public string Number(float value) => Constant(OnnxTensor.Create([value]));

    public string Sum(string a, string b) => b.Length == 0 ? a : Add("Add", [a, b]);

    public string Cast(string x, OnnxElementType type) => Add("Cast", [x], InitializerDef.Int("to", (long)type));

    /// <summary>An extent of a value, as one integer in a row.</summary>
    public string Extent(string x, int axis) => axis == -1
        ? Add("Shape", [x], InitializerDef.Int("start", -1))
        : Add("Shape", [x], InitializerDef.Int("start", axis), InitializerDef.Int("end", axis + 1));

    /// <summary>The function, whose outputs are these; those that it does not have are empty.</summary>
    public FunctionDef Returns(params string[] outputs)
    {
        for (int i = 0; i < outputs.Length; i++)
        {
            string output = outputs[i];

            // What nobody asks for need not be there; names of outputs differ from those of inputs and among each other.
            bool wanted = i < caller.Outputs.Count && caller.Outputs[i].Length > 0;
            _function.Outputs.Add(output.Length == 0 || !wanted ? Constant(OnnxTensor.Create([0f])) : Add("Identity", [output]));
        }

        return _function;
    }
}
