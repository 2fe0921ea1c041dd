using FastNN.Onnx.Model;
using FastNN.Onnx.Passes;

namespace FastNN.Onnx;

/// <summary>
/// The graph passes: rewrites of an ONNX graph into one with fewer and larger operators of the standard, with the same outputs
/// but
/// for rounding. They run before a session records a model, and for <c>fastnn onnx optimize</c>.
/// </summary>
public static class OnnxPasses
{
    // Cheap clean-up first; then what is decomposed is found again while it is whole; then weights take what stands beside them.
    private static readonly IOnnxPass[] Table =
    [
        new ConstantFolding(), new Branches(), new NothingToDo(), new CommonSubexpressions(), new GeluFusion(), new GateFusion(),
        new LayerNormalizationFusion(), new RmsNormalizationFusion(), new AttentionFusion(), new TransposeFusion(),
        new SliceFusion(), new ConvolutionFolding(), new ProductFolding(), new ClipFusion(), new DeadNodes(),
    ];

    private const int MostRounds = 8;

    /// <summary>The names of all passes, in the order in which they run.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Table.Select(pass => pass.Name)];

    /// <summary>What a pass does, in a few words.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">There is no such pass.</exception>
    public static string Describe(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        Require([name]);
        return Table.First(pass => pass.Name == name).Does;
    }

    /// <summary>Fails where a name is not that of a pass.</summary>
    internal static void Require(IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            if (!Names.Contains(name))
            {
                throw new ArgumentException(
                    $"OnnxPasses: expected names of passes ({string.Join(", ", Names)}), got '{Formats.Quote.Text(name)}'.");
            }
        }
    }

    /// <summary>Runs passes until none of them finds anything more.</summary>
    /// <param name="model">The model, which is not changed.</param>
    /// <param name="external">Where tensors outside its file are.</param>
    /// <param name="enabled">The names of the passes that run; null for all.</param>
    /// <param name="newest">The newest opset that a new node may be of.</param>
    /// <param name="file">What messages call the file.</param>
    /// <param name="known">Inputs whose values are known, by name; null for none.</param>
    internal static (GraphDef Graph, IReadOnlyList<OnnxPassReport> Reports) Run(
        ModelDef model, ExternalData? external, IReadOnlySet<string>? enabled, long newest, string file,
        IReadOnlyDictionary<string, OnnxTensor>? known = null)
    {
        var graph = new PassGraph(model, external, newest, known);
        IOnnxPass[] passes = [.. Table.Where(pass => enabled is null || enabled.Contains(pass.Name))];
        var notes = Array.ConvertAll(passes, _ => new PassNotes());
        Run(graph, passes, notes, file);
        return (graph.ToGraph(file), [.. passes.Select((pass, i) => new OnnxPassReport(pass.Name, notes[i].Nodes))]);
    }

    private static void Run(PassGraph graph, IOnnxPass[] passes, PassNotes[] notes, string file)
    {
        bool changed = true;
        for (int round = 0; round < MostRounds && changed; round++)
        {
            changed = false;
            for (int i = 0; i < passes.Length; i++)
            {
                int before = notes[i].Nodes.Count;
                passes[i].Run(graph, notes[i]);
                changed |= notes[i].Nodes.Count > before;
            }

            changed |= RunWithin(graph, passes, notes, file);
        }
    }

    /// <summary>Runs passes on the bodies of loops and of branches that values decide; false where they find nothing.</summary>
    private static bool RunWithin(PassGraph graph, IOnnxPass[] passes, PassNotes[] notes, string file)
    {
        bool changed = false;
        foreach (NodeDef node in graph.Nodes)
        {
            foreach (AttributeDef attribute in node.Attributes.Values.ToArray())
            {
                int before = notes.Sum(note => note.Nodes.Count);
                if (attribute is { Kind: AttributeKind.Graph, Graph: { } body } && graph.Within(node, body) is { } inner)
                {
                    Run(inner, passes, notes, file);
                    if (notes.Sum(note => note.Nodes.Count) > before)
                    {
                        node.Attributes[attribute.Name] = InitializerDef.Body(attribute.Name, inner.ToGraph(file));
                        changed = true;
                    }
                }
            }
        }

        if (changed)
        {
            // What bodies do not read any more may go.
            graph.ForgetBodies();
        }

        return changed;
    }
}
