using FastNN.Ops;

namespace FastNN.Graphs.Passes;

/// <summary>
/// Computes what is recorded twice once: the same operator with the same attributes on the same values. In inference only, since two nodes' gradients
/// are added in another order than the consumers' of one.
/// </summary>
internal sealed class CommonSubexpression : IPass
{
    public string Name => "common subexpressions";

    public bool KeepsBits => true;

    public bool Run(Recording recording)
    {
        if (recording.Root is not null)
        {
            return false;
        }

        var known = new Dictionary<Operator, List<Node>>();
        var replacements = new Dictionary<Value, Value>();
        foreach (Node node in recording.Nodes)
        {
            if (!node.Op.IsDeterministic || Array.Exists(node.Outputs, recording.IsOutput))
            {
                continue;
            }

            Value[] inputs = Array.ConvertAll(node.Inputs, input => replacements.GetValueOrDefault(input, input));
            if (!known.TryGetValue(node.Op, out List<Node>? equal))
            {
                known.Add(node.Op, equal = []);
            }

            if (equal.Find(other => inputs.AsSpan().SequenceEqual(other.Inputs)) is { } twin)
            {
                for (int i = 0; i < node.Outputs.Length; i++)
                {
                    replacements.Add(node.Outputs[i], twin.Outputs[i]);
                }
            }
            else
            {
                equal.Add(new Node(node.Op, inputs, node.Outputs));
            }
        }

        if (replacements.Count == 0)
        {
            return false;
        }

        recording.Substitute(replacements);
        recording.Nodes.RemoveAll(node => node.Outputs.Length > 0 && replacements.ContainsKey(node.Outputs[0]));
        return true;
    }
}
