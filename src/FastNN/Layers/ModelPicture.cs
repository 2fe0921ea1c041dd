using System.Globalization;

namespace FastNN.Layers;

/// <summary>What a drawing of a model has: boxes for inputs, operators and outputs, and arrows between them.</summary>
internal sealed class ModelPicture
{
    private readonly List<PictureNode> _nodes = [];
    private readonly List<(int From, int To)> _edges = [];
    private readonly Dictionary<Value, int> _makers = [];

    public ModelPicture(ModelTrace trace)
    {
        for (int i = 0; i < trace.Inputs.Length; i++)
        {
            _makers.Add(trace.Inputs[i], _nodes.Count);
            Add("in", i, trace.Inputs[i].Name!, [trace.Inputs[i]], "", isEnd: true);
        }

        for (int i = 0; i < trace.Nodes.Count; i++)
        {
            (Node node, string scope) = trace.Nodes[i];
            foreach (Value output in node.Outputs)
            {
                _makers.Add(output, _nodes.Count);
            }

            Add("n", i, node.Op.Name, node.Outputs, scope, isEnd: false);
            foreach (Value input in node.Inputs)
            {
                Join(input);
            }
        }

        for (int i = 0; i < trace.Outputs.Count; i++)
        {
            Add("out", i, trace.OutputNames[i], [trace.Outputs[i]], "", isEnd: true);
            Join(trace.Outputs[i]);
        }
    }

    /// <summary>The boxes; each stands behind those that it has arrows from.</summary>
    public IReadOnlyList<PictureNode> Nodes => _nodes;

    /// <summary>The arrows, by the places of the boxes.</summary>
    public IReadOnlyList<(int From, int To)> Edges => _edges;

    private void Add(string kind, int number, string title, IReadOnlyList<Value> made, string scope, bool isEnd) =>
        _nodes.Add(new PictureNode(
            string.Create(CultureInfo.InvariantCulture, $"{kind}{number}"), title,
            string.Join(", ", made.Select(value => value.Shape)), scope, isEnd));

    /// <summary>An arrow to the last box. Parameters and constants are no boxes: the layer says whose they are.</summary>
    private void Join(Value from)
    {
        if (_makers.TryGetValue(from, out int maker))
        {
            _edges.Add((maker, _nodes.Count - 1));
        }
    }
}

/// <summary>A box.</summary>
/// <param name="Id">A name of its own, of letters and digits.</param>
/// <param name="Title">An operator, or the name of an input or output.</param>
/// <param name="Shapes">Of what it makes.</param>
/// <param name="Scope">The layers around it: "encoder/0".</param>
/// <param name="IsEnd">Whether it is an input or output of the model.</param>
internal readonly record struct PictureNode(string Id, string Title, string Shapes, string Scope, bool IsEnd);
