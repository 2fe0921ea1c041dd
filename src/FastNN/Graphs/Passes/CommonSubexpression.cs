using FastNN.Ops;

namespace FastNN.Graphs.Passes;

/// <summary>
/// Computes what is recorded twice once: the same operator with the same attributes on the same values. In inference only, since
/// two nodes' gradients are added in another order than the consumers' of one.
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

        var known = new Dictionary<Computation, Node>();
        var replacements = new Dictionary<Value, Value>();
        foreach (Node node in recording.Nodes)
        {
            if (!node.Op.IsDeterministic || Array.Exists(node.Outputs, recording.IsOutput))
            {
                continue;
            }

            Value[] inputs = Array.ConvertAll(node.Inputs, input => replacements.GetValueOrDefault(input, input));
            if (!known.TryAdd(new Computation(node.Op, inputs), node))
            {
                Node twin = known[new Computation(node.Op, inputs)];
                for (int i = 0; i < node.Outputs.Length; i++)
                {
                    replacements.Add(node.Outputs[i], twin.Outputs[i]);
                }
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

    /// <summary>An operator on its inputs: equal where both are.</summary>
    private readonly struct Computation(Operator op, Value[] inputs) : IEquatable<Computation>
    {
        private readonly Operator _op = op;
        private readonly Value[] _inputs = inputs;

        public bool Equals(Computation other) => _op == other._op && _inputs.AsSpan().SequenceEqual(other._inputs);

        public override bool Equals(object? obj) => obj is Computation other && Equals(other);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            hash.Add(_op);
            foreach (Value input in _inputs)
            {
                hash.Add(input);
            }

            return hash.ToHashCode();
        }
    }
}
