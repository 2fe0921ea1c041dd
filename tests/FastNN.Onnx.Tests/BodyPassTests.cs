using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>Passes within bodies of loops and of branches that values decide.</summary>
public sealed class BodyPassTests
{
    private static GraphDef Graph(string name, NodeDef[] nodes, params string[] outputs) => new()
    {
        Name = name,
        Nodes = [.. nodes],
        Outputs = [.. outputs.Select(output => new ValueDef { Name = output })],
    };

    private static GraphDef Body(NodeDef[] nodes, string[] inputs, params string[] outputs)
    {
        GraphDef graph = Graph("body", nodes, outputs);
        graph.Inputs.AddRange(inputs.Select(input => new ValueDef { Name = input }));
        return graph;
    }

    /// <summary>The operators of a body of the only node that has one, sorted.</summary>
    private static string Operators(OnnxOptimization result, string body) => Operators(
        result.Definition.Graph!.Nodes.Single(node => node.Attributes.ContainsKey(body)).Attributes[body].Graph!);

    private static string Operators(GraphDef graph) =>
        string.Join(' ', graph.Nodes.Select(node => node.Operator).Order(StringComparer.Ordinal));

    private static NodeDef[] Gelu(string x, string y, string prefix) =>
    [
        Build.Node("Div", $"{x} root", $"{prefix}d"), Build.Node("Erf", $"{prefix}d", $"{prefix}e"),
        Build.Node("Add", $"{prefix}e one", $"{prefix}a"), Build.Node("Mul", $"{x} {prefix}a", $"{prefix}m"),
        Build.Node("Mul", $"{prefix}m half", y),
    ];

    private static TensorDef[] GeluNumbers =>
        [PassHarness.Number("root", 1.4142135f), PassHarness.Number("one", 1), PassHarness.Number("half", 0.5f)];

    private static NodeDef[] Decided(string name = "c") =>
        [Build.Node("ReduceSum", "x", "s", Build.Int("keepdims", 0)), Build.Node("Less", "s zero", name)];

    [Test]
    public void Branches_see_constants_and_extents_around_them()
    {
        NodeDef[] scaled =
        [
            Build.Node("Shape", "x", "sh"), Build.Node("Gather", "sh last", "n"),
            Build.Node("Cast", "n", "f", Build.Int("to", 1)),
            Build.Node("Sqrt", "f", "r"), Build.Node("Identity", "x", "same"), Build.Node("Div", "same r", "q"),
        ];
        ModelDef model = Build.Model(17,
            [
                .. Decided(), Build.Node("If", "c", "y", Build.Graph("then_branch", Graph("a", Gelu("x", "g", "t"), "g")),
                    Build.Graph("else_branch", Graph("b", scaled, "q"))),
            ])
            .With(["x"], ["y"]).Typed("x", -1, 5)
            .With([.. GeluNumbers, PassHarness.Number("zero", 0), Build.Tensor("last", [-1L])]);
        foreach (int seed in new[] { 1, 2, 3, 4 })
        {
            OnnxOptimization result = PassHarness.Check(
                model, "If Less ReduceSum", new() { ["x"] = Build.Random(seed, 3, 5) });
            Assert.That(Operators(result, "then_branch"), Is.EqualTo("Gelu"));
            Assert.That(Operators(result, "else_branch"), Is.EqualTo("Div"));
            Assert.That(result.Opset, Is.EqualTo(20), "that of Gelu");
            Assert.That(result.Passes.Single(pass => pass.Name == "gelu").Count, Is.EqualTo(1));
        }
    }

    /// <summary>Weights that only the body reads go with what took their place.</summary>
    [Test]
    public void Bodies_of_loops_fold_weights_around_them()
    {
        NodeDef[] nodes =
        [
            Build.Node("Conv", "x w", "i", Build.Ints("pads", 1, 1, 1, 1)), Build.Node("BatchNormalization", "i g b m v", "j"),
            Build.Node("Add", "h j", "k"), .. Gelu("k", "next", "t"), Build.Node("Identity", "before", "go"),
        ];
        ModelDef model = Build.Model(17,
                Build.Node("Loop", "count - x", "y all",
                    Build.Graph("body", Body(nodes, ["trip", "before", "h"], "go", "next", "next"))))
            .With(["x", "count"], ["y", "all"]).Typed("x", 1, 2, -1, 5).Typed("count", OnnxElementType.Int64)
            .With(
            [
                .. GeluNumbers, PassHarness.Weights("w", 1, 2, 2, 3, 3), PassHarness.Weights("g", 2, 2),
                PassHarness.Weights("b", 3, 2), PassHarness.Weights("m", 4, 2), Build.Tensor("v", [0.5f, 2f], 2),
            ]);
        foreach (long count in new[] { 1L, 3 })
        {
            OnnxOptimization result = PassHarness.Check(
                model, "Loop", new() { ["x"] = Build.Random(1, 1, 2, 4, 5), ["count"] = OnnxTensor.Create([count]) }, 1e-4);
            Assert.That(Operators(result, "body"), Is.EqualTo("Add Conv Gelu Identity"));
            Assert.That(result.Definition.Graph!.Initializers, Is.Empty);
        }
    }

    [Test]
    public void A_branch_of_a_constant_condition_within_a_body_takes_the_place_of_If()
    {
        NodeDef[] nodes =
        [
            Build.Node("If", "yes", "r", Build.Graph("then_branch", Graph("a", [Build.Node("Tanh", "h", "p")], "p")),
                Build.Graph("else_branch", Graph("b", [Build.Node("Exp", "h", "q")], "q"))),
            Build.Node("Add", "r x", "next"), Build.Node("Identity", "before", "go"),
        ];
        ModelDef model = Build.Model(17,
                Build.Node("Less", "zero two", "yes"),
                Build.Node("Loop", "count - x", "y", Build.Graph("body", Body(nodes, ["trip", "before", "h"], "go", "next"))))
            .With(["x", "count"], ["y"]).Typed("x", 3, 5).Typed("count", OnnxElementType.Int64)
            .With(PassHarness.Number("zero", 0), PassHarness.Number("two", 2));
        OnnxOptimization result = PassHarness.Check(
            model, "Loop", new() { ["x"] = Build.Random(1, 3, 5), ["count"] = OnnxTensor.Create([4L]) });
        Assert.That(Operators(result, "body"), Is.EqualTo("Add Identity Tanh"));
    }

    /// <summary>The extents that a carried value begins with are not those of later trips.</summary>
    [Test]
    public void What_a_loop_carries_may_grow()
    {
        NodeDef[] nodes =
        [
            Build.Node("Shape", "h", "sh"), Build.Node("Gather", "sh first", "n"),
            Build.Node("Cast", "n", "f", Build.Int("to", 1)),
            Build.Node("Mul", "h f", "m"), Build.Node("Reshape", "m flat", "o"), Build.Node("Reshape", "o sh", "p"),
            Build.Node("Concat", "p x", "next", Build.Int("axis", 0)), Build.Node("Identity", "before", "go"),
        ];
        ModelDef model = Build.Model(17,
                Build.Node("Loop", "count - x", "y", Build.Graph("body", Body(nodes, ["trip", "before", "h"], "go", "next"))))
            .With(["x", "count"], ["y"]).Typed("x", 3, 5).Typed("count", OnnxElementType.Int64)
            .With(Build.Tensor("first", [0L]), Build.Tensor("flat", [-1L], 1));
        PassHarness.Check(model, "Loop", new() { ["x"] = Build.Random(1, 3, 5), ["count"] = OnnxTensor.Create([3L]) }, 1e-4);
    }

    [Test]
    public void A_body_whose_names_hide_others_is_left_alone()
    {
        NodeDef[] hiding = [Build.Node("Identity", "x", "t"), Build.Node("Exp", "t", "r")];
        ModelDef model = Build.Model(17,
            [
                .. Decided(), Build.Node("Sin", "x", "t"),
                Build.Node("If", "c", "u", Build.Graph("then_branch", Graph("a", hiding, "r")),
                    Build.Graph("else_branch", Graph("b", [Build.Node("Identity", "t", "v"), Build.Node("Neg", "v", "w")], "w"))),
                Build.Node("Add", "t u", "y"),
            ])
            .With(["x"], ["y"]).Typed("x", 3, 5).With(PassHarness.Number("zero", 0));
        OnnxOptimization result = null!;
        foreach (int seed in new[] { 1, 2, 3, 4 })
        {
            result = PassHarness.Check(model, "Add If Less ReduceSum Sin", new() { ["x"] = Build.Random(seed, 3, 5) });
        }

        Assert.That(Operators(result, "then_branch"), Is.EqualTo("Exp Identity"));
        Assert.That(Operators(result, "else_branch"), Is.EqualTo("Neg"));
    }
}
