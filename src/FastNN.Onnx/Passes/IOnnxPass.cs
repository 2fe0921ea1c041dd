using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>A rewrite of a model's main graph or of a body in it, which computes the same outputs but for rounding.</summary>
internal interface IOnnxPass
{
    /// <summary>Its name on the command line, in options and in reports.</summary>
    string Name { get; }

    /// <summary>What it does, in a few words.</summary>
    string Does { get; }

    /// <summary>Rewrites what it can, and notes every node that it takes the place of.</summary>
    void Run(PassGraph graph, PassNotes notes);
}

/// <summary>What a pass did.</summary>
internal sealed class PassNotes
{
    private readonly List<string> _nodes = [];

    public IReadOnlyList<string> Nodes => _nodes;

    public void Add(NodeDef node) => _nodes.Add(node.Title);
}
