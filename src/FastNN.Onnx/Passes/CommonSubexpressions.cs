using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>Computes what several nodes compute alike once: the same operator and attributes on the same inputs.</summary>
internal sealed class CommonSubexpressions : IOnnxPass
{
    private static readonly HashSet<string> Random = new(StringComparer.Ordinal)
    {
        "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Dropout",
    };

    public string Name => "common-subexpressions";

    public string Does => "computes what several nodes compute alike once";

    public void Run(PassGraph graph, PassNotes notes)
    {
        var known = new Dictionary<string, NodeDef>(StringComparer.Ordinal);

        // A node's inputs must have their final names before it is looked up.
        foreach (NodeDef node in graph.InOrder())
        {
            if (!graph.IsPlain(node) || Random.Contains(node.Operator) || node.Outputs.Count == 0 || Key(graph,
                node) is not { } key)
            {
                continue;
            }

            if (!known.TryGetValue(key, out NodeDef? twin))
            {
                known.Add(key, node);
                continue;
            }

            if (node.Outputs.TrueForAll(output => !graph.IsKept(output)))
            {
                notes.Add(node);
                for (int i = 0; i < node.Outputs.Count; i++)
                {
                    graph.Replace(node, node.Outputs[i], twin.Outputs[i]);
                }
            }
        }
    }

    private static string? Key(PassGraph graph, NodeDef node)
    {
        var key = new System.Text.StringBuilder();
        key.Append(node.Operator).Append('|').Append(graph.Opset(node)).Append('|').AppendJoin('\u0001', node.Inputs).Append('|');
        key.AppendJoin(',', node.Outputs.Select(output => output.Length > 0 ? '1' : '0')).Append('|');
        foreach (AttributeDef attribute in node.Attributes.Values.OrderBy(attribute => attribute.Name, StringComparer.Ordinal))
        {
            key.Append(attribute.Name).Append('\u0001').Append(attribute.Kind).Append('\u0001');
            switch (attribute.Kind)
            {
                case AttributeKind.Int:
                    key.Append(attribute.Int);
                    break;
                case AttributeKind.Float:
                    key.Append(BitConverter.SingleToInt32Bits(attribute.Float));
                    break;
                case AttributeKind.String:
                    key.Append(Convert.ToHexString(attribute.String));
                    break;
                case AttributeKind.Ints:
                    key.AppendJoin(',', attribute.Ints);
                    break;
                case AttributeKind.Floats:
                    key.AppendJoin(',', attribute.Floats.Select(BitConverter.SingleToInt32Bits));
                    break;
                default:
                    return null;
            }

            key.Append('|');
        }

        return key.ToString();
    }
}
