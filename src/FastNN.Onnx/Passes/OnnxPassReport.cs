using System.Globalization;

namespace FastNN.Onnx;

/// <summary>What a pass did to a model.</summary>
public sealed class OnnxPassReport
{
    internal OnnxPassReport(string name, IReadOnlyList<string> nodes) => (Name, Nodes) = (name, nodes);

    /// <summary>The pass, one of <see cref="OnnxPasses.Names"/>.</summary>
    public string Name { get; }

    /// <summary>The nodes that it removed, folded or replaced: operator and name.</summary>
    public IReadOnlyList<string> Nodes { get; }

    /// <summary>How many nodes it removed, folded or replaced.</summary>
    public int Count => Nodes.Count;

    /// <summary>As in <c>layer-normalization: 24</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}: {Count}");
}
