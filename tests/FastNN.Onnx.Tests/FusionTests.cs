using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>Decomposed operators are found again, and give the outputs of their pieces; what others read stays.</summary>
public sealed class FusionTests
{
    private static ModelDef Gelu(string form, params string[] outputs)
    {
        NodeDef[] nodes = form switch
        {
            "half behind" =>
            [
                Build.Node("Div", "x root", "d"), Build.Node("Erf", "d", "e"), Build.Node("Add", "e one", "a"),
                Build.Node("Mul", "x a", "m"), Build.Node("Mul", "m half", "y"),
            ],
            "half first" =>
            [
                Build.Node("Mul", "x inverse", "d"), Build.Node("Erf", "d", "e"), Build.Node("Add", "one e", "a"),
                Build.Node("Mul", "half x", "m"), Build.Node("Mul", "m a", "y"),
            ],
            "half inside" =>
            [
                Build.Node("Div", "x root", "d"), Build.Node("Erf", "d", "e"), Build.Node("Add", "e one", "a"),
                Build.Node("Mul", "a half", "m"), Build.Node("Mul", "x m", "y"),
            ],
            "tanh, cube by Pow" =>
            [
                Build.Node("Pow", "x three", "p"), Build.Node("Mul", "p cubic", "c"), Build.Node("Add", "x c", "s"),
                Build.Node("Mul", "s scale", "t"), Build.Node("Tanh", "t", "h"), Build.Node("Add", "h one", "a"),
                Build.Node("Mul", "x half", "m"), Build.Node("Mul", "m a", "y"),
            ],
            "tanh, x in front" =>
            [
                Build.Node("Mul", "x scale", "sx"), Build.Node("Mul", "x cubic", "c"), Build.Node("Mul", "c x", "cc"),
                Build.Node("Add", "one cc", "s"), Build.Node("Mul", "sx s", "t"), Build.Node("Tanh", "t", "h"),
                Build.Node("Add", "one h", "a"), Build.Node("Mul", "x half", "m"), Build.Node("Mul", "m a", "y"),
            ],
            _ => throw new ArgumentException(form),
        };
        return Build.Model(13, nodes).With(["x"], ["y", .. outputs]).Typed("x", 0, 7).With(
            PassHarness.Number("root", 1.4142135f), PassHarness.Number("inverse", 0.70710677f), PassHarness.Number("one", 1),
            PassHarness.Number("half", 0.5f), PassHarness.Number("three", 3), PassHarness.Number("cubic", 0.044715f),
            PassHarness.Number("scale", 0.7978846f));
    }

    private static Dictionary<string, OnnxValue> X(params int[] dims) => new() { ["x"] = Build.Random(5, dims) };

    [TestCase("half behind")]
    [TestCase("half first")]
    [TestCase("half inside")]
    [TestCase("tanh, cube by Pow")]
    [TestCase("tanh, x in front")]
    public void Gelu_is_found(string form)
    {
        OnnxOptimization result = PassHarness.Check(Gelu(form), "Gelu", X(3, 7));
        Assert.That(result.Opset, Is.EqualTo(20));
        Assert.That(result.Passes.Single(pass => pass.Name == "gelu").Nodes, Is.EqualTo(new[] { "Mul (output 'y')" }));
        Assert.That(
            result.Definition.Graph!.Nodes[0].Attributes.ContainsKey("approximate"),
            Is.EqualTo(form.StartsWith("tanh", StringComparison.Ordinal)));
    }

    [Test]
    public void Gelu_stays_in_pieces_where_another_reads_one()
    {
        PassHarness.Check(Gelu("half behind", "e"), "Add Div Erf Mul Mul", X(3, 7));
        ModelDef read = Gelu("half behind");
        read.Graph!.Nodes.Add(Build.Node("Neg", "a", "z"));
        read.Graph.Outputs.Add(new ValueDef { Name = "z" });
        PassHarness.Check(read, "Add Div Erf Mul Mul Neg", X(3, 7));
    }

    [Test]
    public void Gelu_stays_in_pieces_where_a_branch_reads_one()
    {
        GraphDef Branch(string name) => new()
        {
            Name = name,
            Nodes = [Build.Node(name, "e", "r")],
            Outputs = [new ValueDef { Name = "r" }],
        };
        ModelDef model = Gelu("half behind", "z");
        model.Graph!.Nodes.Add(Build.Node(
            "If", "c", "z", Build.Graph("then_branch", Branch("Neg")), Build.Graph("else_branch", Branch("Exp"))));
        model.Graph.Inputs.Add(new ValueDef { Name = "c" });
        Dictionary<string, OnnxValue> inputs = X(3, 7);
        inputs["c"] = OnnxTensor.Create([true]);
        PassHarness.Check(model, "Add Div Erf If Mul Mul", inputs);
    }

    [Test]
    public void A_wrong_constant_is_no_gelu()
    {
        ModelDef model = Gelu("half behind");
        model.Graph!.Initializers[0] = PassHarness.Number("root", 1.5f);
        PassHarness.Check(model, "Add Div Erf Mul Mul", X(3, 7));
    }

    [TestCase("Sigmoid", "Swish")]
    [TestCase("Sigmoid of 1.702 x", "Swish")]
    [TestCase("HardSigmoid", "HardSwish")]
    [TestCase("Clip", "HardSwish")]
    [TestCase("Tanh", "Mish")]
    public void Gated_activations_are_found(string form, string expected)
    {
        NodeDef[] nodes = form switch
        {
            "Sigmoid" => [Build.Node("Sigmoid", "x", "g"), Build.Node("Mul", "x g", "y")],
            "Sigmoid of 1.702 x" =>
                [Build.Node("Mul", "x quick", "q"), Build.Node("Sigmoid", "q", "g"), Build.Node("Mul", "g x", "y")],
            "HardSigmoid" =>
                [Build.Node("HardSigmoid", "x", "g", Build.Number("alpha", 1 / 6f)), Build.Node("Mul", "x g", "y")],
            "Clip" =>
            [
                Build.Node("Add", "x three", "a"), Build.Node("Clip", "a zero six", "c"), Build.Node("Mul", "x c", "m"),
                Build.Node("Div", "m six", "y"),
            ],
            _ => [Build.Node("Softplus", "x", "s"), Build.Node("Tanh", "s", "g"), Build.Node("Mul", "x g", "y")],
        };
        PassHarness.Check(
            Build.Model(13, nodes).With(["x"], ["y"]).Typed("x", -1, 5).With(
                PassHarness.Number("quick", 1.702f), PassHarness.Number("three", 3), PassHarness.Number("zero", 0),
                PassHarness.Number("six", 6)),
            expected, X(9, 5));
    }

    private static ModelDef LayerNorm(string square, bool affine, long axis)
    {
        NodeDef power = square == "Pow" ? Build.Node("Pow", "d two", "p") : Build.Node("Mul", "d d", "p");
        NodeDef[] nodes =
        [
            Build.Node("ReduceMean", "x", "m", Build.Ints("axes", axis)), Build.Node("Sub", "x m", "d"), power,
            Build.Node("ReduceMean", "p", "v", Build.Ints("axes", axis)), Build.Node("Add", "v eps", "e"),
            Build.Node("Sqrt", "e", "s"), Build.Node("Div", "d s", affine ? "n" : "y"),
        ];
        NodeDef[] tail = affine ? [Build.Node("Mul", "n g", "h"), Build.Node("Add", "h b", "y")] : [];
        return Build.Model(13, [.. nodes, .. tail]).With(["x"], ["y"]).Typed("x", -1, -1, 13).With(
            PassHarness.Number("two", 2), PassHarness.Number("eps", 1e-5f), PassHarness.Weights("g", 1, 13),
            PassHarness.Weights("b", 2, 13));
    }

    [TestCase("Pow", true, -1)]
    [TestCase("Mul", true, 2)]
    [TestCase("Pow", false, -1)]
    public void Layer_normalization_is_found(string square, bool affine, long axis) =>
        Assert.That(
            PassHarness.Check(LayerNorm(square, affine, axis), "LayerNormalization", X(2, 5, 13)).Opset, Is.EqualTo(17));

    [Test]
    public void Layer_normalization_along_another_axis_stays_in_pieces() =>
        PassHarness.Check(
            LayerNorm("Pow", false, 1), "Add Div Pow ReduceMean ReduceMean Sqrt Sub", X(2, 5, 13));

    [TestCase("Div")]
    [TestCase("Reciprocal")]
    [TestCase("Pow")]
    public void Rms_normalization_is_found(string form)
    {
        NodeDef[] root = form switch
        {
            "Div" => [Build.Node("Sqrt", "e", "s"), Build.Node("Div", "x s", "n")],
            "Reciprocal" => [Build.Node("Sqrt", "e", "s"), Build.Node("Reciprocal", "s", "r"), Build.Node("Mul", "x r", "n")],
            _ => [Build.Node("Pow", "e minus", "r"), Build.Node("Mul", "x r", "n")],
        };
        ModelDef model = Build.Model(17,
        [
            Build.Node("Pow", "x two", "p"), Build.Node("ReduceMean", "p", "v", Build.Ints("axes", -1)),
            Build.Node("Add", "v eps", "e"), .. root, Build.Node("Mul", "g n", "y"),
        ]).With(["x"], ["y"]).Typed("x", 2, -1, 9).With(
            PassHarness.Number("two", 2), PassHarness.Number("eps", 1e-6f), PassHarness.Number("minus", -0.5f),
            PassHarness.Weights("g", 3, 9));
        PassHarness.Check(model, "RMSNormalization", X(2, 3, 9));
    }

    /// <summary>A BERT-shaped attention of 3 heads of 4 as PyTorch exports it: projections, views, transpositions,
    /// mask.</summary>
    private static ModelDef Attention(string mask, bool scaledBefore)
    {
        // Positions are as many rows of a table as there are steps, which nothing says before a run.
        string source = mask == "positions" ? "h" : "x";
        NodeDef[] positions =
        [
            Build.Node("Shape", "x", "xs"), Build.Node("Gather", "xs index1", "xl", Build.Int("axis", 0)),
            Build.Node("Unsqueeze", "xl axes0", "xl1"), Build.Node("Slice", "table axes0 xl1 axes1", "p0rows"),
            Build.Node("Add", "x p0rows", "h"),
        ];
        var nodes = new List<NodeDef>(mask == "positions" ? positions : [])
        {
            Build.Node("Shape", source, "shape"), Build.Node("Gather", "shape zero", "batch", Build.Int("axis", 0)),
            Build.Node("Gather", "shape index1", "length", Build.Int("axis", 0)),
            Build.Node("Unsqueeze", "batch axes0", "b1"), Build.Node("Unsqueeze", "length axes0", "t1"),
            Build.Node("Concat", "b1 t1 heads width", "view", Build.Int("axis", 0)),
            Build.Node("Concat", "b1 t1 all", "flat", Build.Int("axis", 0)),
        };
        foreach (string name in new[] { "q", "k", "v" })
        {
            nodes.Add(Build.Node("MatMul", $"{source} w{name}", $"{name}0"));
            nodes.Add(Build.Node("Add", $"{name}0 b{name}", $"{name}1"));
            nodes.Add(Build.Node("Reshape", $"{name}1 view", $"{name}2"));
            nodes.Add(Build.Node(
                "Transpose", $"{name}2", $"{name}3", name == "k" ? Build.Ints("perm", 0, 2, 3, 1) : Build.Ints("perm", 0, 2, 1, 3)));
        }

        if (scaledBefore)
        {
            nodes.AddRange([Build.Node("Mul", "q3 part", "q4"), Build.Node("Mul", "k3 part", "k4")]);
        }

        nodes.Add(Build.Node("MatMul", scaledBefore ? "q4 k4" : "q3 k3", "s0"));
        nodes.Add(scaledBefore ? Build.Node("Identity", "s0", "s1") : Build.Node("Div", "s0 two", "s1"));
        nodes.Add(mask switch
        {
            "added" => Build.Node("Add", "s1 mask", "s2"),
            "added first" => Build.Node("Add", "mask s1", "s2"),
            "chosen" => Build.Node("Where", "seen s1 low", "s2"),
            _ => Build.Node("Identity", "s1", "s2"),
        });
        nodes.AddRange(
        [
            Build.Node("Softmax", "s2", "p0", Build.Int("axis", -1)), Build.Node("Dropout", "p0", "p"),
            Build.Node("MatMul", "p v3", "o0"), Build.Node("Transpose", "o0", "o1", Build.Ints("perm", 0, 2, 1, 3)),
            Build.Node("Reshape", "o1 flat", "y"),
        ]);
        ModelDef model = Build.Model(13, [.. nodes]).With(["x", "mask"], ["y"]).Typed("x", -1, -1, 12).Typed("mask", -1, 1, 1,
            -1);
        return model.With(
            Build.Tensor("zero", [0L]), Build.Tensor("index1", [1L]), Build.Tensor("axes0", [0L], 1), Build.Tensor("heads", [3L],
                1),
            Build.Tensor("axes1", [1L], 1), PassHarness.Weights("table", 8, 1, 9, 12),
            Build.Tensor("width", [4L], 1), Build.Tensor("all", [12L], 1), PassHarness.Number("two", 2),
            PassHarness.Number("part", 0.70710677f), PassHarness.Number("low", -1e9f),
            PassHarness.Weights("wq", 1, 12, 12), PassHarness.Weights("wk", 2, 12, 12), PassHarness.Weights("wv", 3, 12, 12),
            PassHarness.Weights("bq", 4, 12), PassHarness.Weights("bk", 5, 12), PassHarness.Weights("bv", 6, 12),
            Build.Tensor("seen", OnnxElementType.Bool, [1, 1, 5, 5],
                [.. Enumerable.Range(0, 25).Select(i => (byte)(i % 5 <= i / 5 ? 1 : 0))]));
    }

    [TestCase("none", false)]
    [TestCase("none", true)]
    [TestCase("added", false)]
    [TestCase("added first", true)]
    [TestCase("chosen", false)]
    public void Attention_is_found(string mask, bool scaledBefore)
    {
        var inputs = new Dictionary<string, OnnxValue>
        {
            ["x"] = Build.Random(7, 2, 5, 12),
            ["mask"] = OnnxTensor.Create([0f, 0, 0, -1e4f, -1e4f, 0, 0, -1e4f, 0, 0], 2, 1, 1, 5),
        };
        OnnxOptimization result = PassHarness.Check(Attention(mask, scaledBefore), Kept, inputs, 1e-5);
        Assert.That(result.Passes.Single(pass => pass.Name == "attention").Count, Is.EqualTo(1));
        Assert.That(result.Opset, Is.EqualTo(23));
    }

    [Test]
    public void On_the_engine_attention_takes_heads_as_they_lie_and_products_bring_their_bias()
    {
        using OnnxModel model = Attention("added", false).Load();
        using Device device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        var inputs = new Dictionary<string, OnnxValue>
        {
            ["x"] = Build.Random(7, 2, 5, 12),
            ["mask"] = OnnxTensor.Create(new float[10], 2, 1, 1, 5),
        };
        Assert.That(
            session.Profile(inputs, 1).Rows.Select(row => $"{row.Operator} {row.Calls}").Order(StringComparer.Ordinal),
            Is.EqualTo(new[] { "Dense 3", "ScaledDotProductAttention 1" }));
    }

    [Test]
    public void Attention_behind_positions_of_unknown_length_is_found()
    {
        using OnnxModel model = Attention("positions", true).Load();
        OnnxOptimization result = model.Optimize();
        Assert.That(result.Passes.Single(pass => pass.Name == "attention").Count, Is.EqualTo(1));
        using OnnxModel again = OnnxModel.Load(result.ToBytes());
        var inputs = new Dictionary<string, OnnxValue>
        {
            ["x"] = Build.Random(7, 2, 5, 12),
            ["mask"] = OnnxTensor.Create(new float[10], 2, 1, 1, 5),
        };
        Assert.That(again.Evaluate(inputs)[0].Floats(), Is.EqualTo(model.Evaluate(inputs)[0].Floats()).Within(1e-5));
    }

    private const string Kept =
        "Add Add Add Attention Concat Concat Gather Gather MatMul MatMul MatMul Reshape Reshape Reshape Reshape Shape " +
        "Transpose Transpose Transpose Transpose Unsqueeze Unsqueeze";

    [Test]
    public void Attention_of_heads_in_the_batch_is_found()
    {
        ModelDef model = Build.Model(17,
            Build.Node("Transpose", "k", "kt", Build.Ints("perm", 0, 2, 1)), Build.Node("Mul", "q c", "qs"),
            Build.Node("MatMul", "qs kt", "s"), Build.Node("Softmax", "s", "p"), Build.Node("MatMul", "p v", "y"))
            .With(["q", "k", "v"], ["y"]).Typed("q", -1, -1, 8).Typed("k", -1, -1, 8).Typed("v", -1, -1, 6)
            .With(PassHarness.Number("c", 0.35f));
        PassHarness.Check(model, "Attention Squeeze Unsqueeze Unsqueeze Unsqueeze", new Dictionary<string, OnnxValue>
        {
            ["q"] = Build.Random(1, 3, 5, 8),
            ["k"] = Build.Random(2, 3, 7, 8),
            ["v"] = Build.Random(3, 3, 7, 6),
        });
    }

    [Test]
    public void Attention_whose_weights_are_an_output_stays_in_pieces()
    {
        ModelDef model = Build.Model(17,
            Build.Node("Transpose", "k", "kt", Build.Ints("perm", 0, 1, 3, 2)), Build.Node("MatMul", "q kt", "s"),
            Build.Node("Softmax", "s", "p"), Build.Node("MatMul", "p v", "y"))
            .With(["q", "k", "v"], ["y", "p"]).Typed("q", 1, 2, -1, 8).Typed("k", 1, 2, -1, 8).Typed("v", 1, 2, -1, 8);
        PassHarness.Check(model, "MatMul MatMul Softmax Transpose", new Dictionary<string, OnnxValue>
        {
            ["q"] = Build.Random(1, 1, 2, 3, 8),
            ["k"] = Build.Random(2, 1, 2, 5, 8),
            ["v"] = Build.Random(3, 1, 2, 5, 8),
        });
    }
}
