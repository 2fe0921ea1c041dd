using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>Removes nodes whose outputs nothing reads.</summary>
internal sealed class DeadNodes : IOnnxPass
{
    public string Name => "dead-nodes";

    public string Does => "removes nodes whose outputs nothing reads";

    public void Run(PassGraph graph, PassNotes notes)
    {
        foreach (NodeDef node in graph.InOrder().Reverse())
        {
            if (graph.IsUnused(node))
            {
                notes.Add(node);
                graph.Remove(node);
            }
        }
    }
}
