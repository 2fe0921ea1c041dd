using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>A product taken apart: the number in front, and the factors that are values.</summary>
/// <param name="Number">The product of all constant factors of one element.</param>
/// <param name="Values">The others.</param>
internal sealed record Factors(double Number, IReadOnlyList<string> Values)
{
    /// <summary>How far constants may be from what they stand for: exporters write 4 to 17 digits.</summary>
    public const double Tolerance = 2e-5;

    public bool IsNumber(double value) => IsClose(Number, value);

    public static bool IsClose(double a, double b) => Math.Abs(a - b) <= Tolerance * Math.Abs(b);

    /// <summary>The other factor of two.</summary>
    public string? Besides(string value) => Values.Count != 2 ? null
        : Values[0] == value ? Values[1]
        : Values[1] == value ? Values[0]
        : null;

    /// <summary>Takes the products apart that end in a value; those on the way are read by nothing else.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="value">The product.</param>
    /// <param name="matched">Receives the nodes taken apart.</param>
    /// <param name="root">The node to begin with, however many read it; null to begin with a value that is read once.</param>
    public static Factors Of(PassGraph graph, string value, ICollection<NodeDef> matched, NodeDef? root = null)
    {
        double number = 1;
        var values = new List<string>();
        Visit(value, root);
        return new Factors(number, values);

        void Visit(string name, NodeDef? from)
        {
            if (graph.Scalar(name) is { } scalar)
            {
                number *= scalar;
                return;
            }

            NodeDef? node = from ?? (graph.IsReadOnce(name) ? graph.Producer(name) : null);
            bool isQuotient = graph.Is(node, "Div") && graph.Scalar(node!, 1) is not null and not 0;
            if (!graph.Is(node, "Mul") && !isQuotient)
            {
                values.Add(name);
                return;
            }

            matched.Add(node!);
            Visit(node!.Inputs[0], null);
            if (isQuotient)
            {
                number /= graph.Scalar(node, 1)!.Value;
            }
            else
            {
                Visit(node.Inputs[1], null);
            }
        }
    }

    /// <summary>The other operand of an addition of a number; null where it is none.</summary>
    public static string? Plus(PassGraph graph, string value, double number, ICollection<NodeDef> matched)
    {
        if (graph.Producer(value) is not { } add || !graph.Is(add, "Add"))
        {
            return null;
        }

        for (int i = 0; i < 2; i++)
        {
            if (graph.Scalar(add, i) is { } scalar && IsClose(scalar, number))
            {
                matched.Add(add);
                return add.Inputs[1 - i];
            }
        }

        return null;
    }

    /// <summary>The operand of a node, if this is the operator.</summary>
    public static string? Inside(PassGraph graph, string value, string name, ICollection<NodeDef> matched)
    {
        if (graph.Producer(value) is not { } node || !graph.Is(node, name))
        {
            return null;
        }

        matched.Add(node);
        return node.Inputs[0];
    }

    /// <summary>Which power of x a value is times a number: 1 for x itself; null where it is none.</summary>
    public static int? Power(PassGraph graph, Factors factors, string x, ICollection<NodeDef> matched)
    {
        int power = 0;
        foreach (string value in factors.Values)
        {
            if (value == x)
            {
                power++;
            }
            else if (graph.Producer(value) is { } node && graph.Is(node, "Pow") && node.Inputs[0] == x
                && graph.Scalar(node, 1) is { } exponent && exponent is 2 or 3)
            {
                matched.Add(node);
                power += (int)exponent;
            }
            else
            {
                return null;
            }
        }

        return power;
    }
}
