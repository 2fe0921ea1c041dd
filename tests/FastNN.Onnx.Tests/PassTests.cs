using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>Passes that clean up and fold: what goes, what stays, and the same outputs.</summary>
public sealed class PassTests
{
    private static Dictionary<string, OnnxValue> X(params int[] dims) => new() { ["x"] = Build.Random(5, dims) };

    [Test]
    public void Nodes_that_do_nothing_go()
    {
        ModelDef model = Build.Model(17,
            Build.Node("Identity", "x", "a"), Build.Node("Dropout", "a ratio", "b"),
            Build.Node("Cast", "b", "c", Build.Int("to", 1)), Build.Node("Transpose", "c", "d", Build.Ints("perm", 0, 1, 2)),
            Build.Node("Pad", "d pads", "e"), Build.Node("Reshape", "e same", "f"), Build.Node("Slice", "f starts ends", "g"),
            Build.Node("Concat", "g", "h", Build.Int("axis", 1)), Build.Node("Add", "h zero", "i"), Build.Node("Mul", "one i", "j"),
            Build.Node("Pow", "j one", "k"), Build.Node("Relu", "k", "l"), Build.Node("Identity", "l", "y"))
            .With(["x"], ["y"]).Typed("x", -1, 3, 4).With(
                PassHarness.Number("ratio", 0.5f), Build.Tensor("pads", [0L, 0, 0, 0, 0, 0], 6), Build.Tensor("same", [0L, 3, -1],
                    3),
                Build.Tensor("starts", [0L], 1), Build.Tensor("ends", [long.MaxValue], 1), PassHarness.Number("zero", 0),
                PassHarness.Number("one", 1));
        OnnxOptimization result = PassHarness.Check(model, "Relu", X(2, 3, 4), 1e-7, "constant-folding", "nothing-to-do");
        Assert.That(result.NodesBefore, Is.EqualTo(13));
        Assert.That(result.Passes.Single(pass => pass.Name == "nothing-to-do").Count, Is.EqualTo(12));
    }

    [Test]
    public void Nodes_that_change_a_shape_stay()
    {
        ModelDef model = Build.Model(17,
            Build.Node("Add", "x zeros", "a"), Build.Node("Reshape", "a shape", "b"), Build.Node("Cast", "b", "y", Build.Int("to", 11)))
            .With(["x"], ["y"]).Typed("x", 3).With(Build.Tensor("zeros", [0f, 0], 2, 1), Build.Tensor("shape", [2L, 3, 1], 3));
        PassHarness.Check(model, "Add Cast Reshape", X(3));
    }

    [Test]
    public void Constants_and_known_shapes_are_folded_and_random_numbers_are_not()
    {
        ModelDef model = Build.Model(17,
            Build.Node("Shape", "x", "s"), Build.Node("Gather", "s one", "n", Build.Int("axis", 0)),
            Build.Node("Cast", "n", "f", Build.Int("to", 1)), Build.Node("Sqrt", "f", "r"), Build.Node("Mul", "c r", "k"),
            Build.Node("Mul", "x k", "y"), Build.Node("RandomUniform", "", "u", Build.Ints("shape", 2), Build.Number("seed", 1)),
            Build.Node("Neg", "u", "z"))
            .With(["x"], ["y"]).Typed("x", -1, 16).With(Build.Tensor("one", [1L]), PassHarness.Weights("c", 1, 16));
        model.Graph!.Outputs.Add(new ValueDef { Name = "z" });
        using OnnxModel loaded = model.Load();
        OnnxOptimization result = loaded.Optimize(new HashSet<string> { "constant-folding" });
        Assert.That(PassHarness.Operators(result), Is.EqualTo("Mul Neg RandomUniform"));
        using OnnxModel again = OnnxModel.Load(result.ToBytes());
        Assert.That(again.Evaluate(X(3, 16))[0].Floats(), Is.EqualTo(loaded.Evaluate(X(3, 16))[0].Floats()));
    }

    [Test]
    public void Large_constants_of_few_numbers_stay_as_they_are()
    {
        ModelDef model = Build.Model(17, Build.Node("ConstantOfShape", "shape", "c"), Build.Node("Add", "x c", "y"))
            .With(["x"], ["y"]).Typed("x", 1, 1).With(Build.Tensor("shape", [300L, 300], 2));
        PassHarness.Check(model, "Add ConstantOfShape", X(1, 1));
    }

    [Test]
    public void Initializers_that_are_inputs_are_not_constant()
    {
        ModelDef model = Build.Model(17, Build.Node("Mul", "c two", "k"), Build.Node("Add", "x k", "y"))
            .With(["x", "c"], ["y"]).With(PassHarness.Weights("c", 1, 4), PassHarness.Number("two", 2));
        using OnnxModel loaded = model.Load();
        Assert.That(PassHarness.Operators(loaded.Optimize()), Is.EqualTo("Add Mul"));
    }

    [Test]
    public void What_is_computed_twice_is_computed_once()
    {
        ModelDef model = Build.Model(17,
            Build.Node("Exp", "x", "a"), Build.Node("Exp", "x", "b"), Build.Node("Neg", "a", "c"), Build.Node("Neg", "b", "d"),
            Build.Node("Elu", "c", "e", Build.Number("alpha", 2)), Build.Node("Elu", "d", "f", Build.Number("alpha", 3)),
            Build.Node("Add", "e f", "y")).With(["x"], ["y"]).Typed("x", 5);
        PassHarness.Check(model, "Add Elu Elu Exp Neg", X(5), 1e-6, "common-subexpressions");
    }

    [Test]
    public void Nodes_that_nothing_reads_go()
    {
        ModelDef model = Build.Model(17,
            Build.Node("Exp", "x", "a"), Build.Node("Neg", "a", "b"), Build.Node("Relu", "x", "y")).With(["x"], ["y"]).Typed("x", 5);
        OnnxOptimization result = PassHarness.Check(model, "Relu", X(5), 0, "dead-nodes");
        Assert.That(result.Passes[0].Nodes, Is.EqualTo(new[] { "Neg (output 'b')", "Exp (output 'a')" }));
    }

    private static TensorDef Positive(string name, int seed, int count) =>
        Build.Tensor(name, [.. Build.Random(seed, count).Floats().Select(value => value + 1.5f)], count);

    [TestCase("BatchNormalization")]
    [TestCase("Mul")]
    [TestCase("Div")]
    [TestCase("Add")]
    [TestCase("Sub from")]
    [TestCase("scalar Mul")]
    public void Convolutions_take_what_acts_on_channels(string behind)
    {
        NodeDef node = behind switch
        {
            "BatchNormalization" => Build.Node("BatchNormalization", "c s m r v", "y", Build.Number("epsilon", 1e-3f)),
            "Sub from" => Build.Node("Sub", "k c", "y"),
            "scalar Mul" => Build.Node("Mul", "c one", "y"),
            _ => Build.Node(behind, "c k", "y"),
        };
        foreach (bool hasBias in new[] { false, true })
        {
            ModelDef model = Build.Model(13,
                Build.Node("Conv", hasBias ? "x w b" : "x w", "c", Build.Int("group", 2), Build.Ints("pads", 1, 0, 1, 2)), node)
                .With(["x"], ["y"]).Typed("x", -1, 4, 5, 7).With(
                    PassHarness.Weights("w", 1, 6, 2, 3, 3), PassHarness.Weights("b", 2, 6), Positive("s", 3, 6),
                    PassHarness.Weights("m", 4, 6), PassHarness.Weights("r", 5, 6), Positive("v", 6, 6),
                    Build.Tensor("k", [1.5f, -2, 3, 0.25f, 5, -6], 6, 1, 1), Build.Tensor("one", [-0.75f], 1));
            PassHarness.Check(model, "Conv", X(2, 4, 5, 7));
        }
    }

    [Test]
    public void Convolutions_do_not_take_what_acts_on_places()
    {
        ModelDef model = Build.Model(13, Build.Node("Conv", "x w", "c"), Build.Node("Mul", "c k", "y"))
            .With(["x"], ["y"]).Typed("x", -1, 4, 5, 6).With(PassHarness.Weights("w", 1, 6, 4, 1, 1), PassHarness.Weights("k", 2,
                6));
        PassHarness.Check(model, "Conv Mul", X(2, 4, 5, 6));
    }

    [Test]
    public void A_convolution_that_others_read_keeps_its_weights()
    {
        ModelDef model = Build.Model(13,
            Build.Node("Conv", "x w", "c"), Build.Node("BatchNormalization", "c s m r v", "n"), Build.Node("Add", "n c", "y"))
            .With(["x"], ["y"]).Typed("x", 1, 3, 4, 4).With(
                PassHarness.Weights("w", 1, 5, 3, 1, 1), Positive("s", 3, 5), PassHarness.Weights("m", 4, 5),
                PassHarness.Weights("r", 5, 5), Positive("v", 6, 5));
        PassHarness.Check(model, "Add BatchNormalization Conv", X(1, 3, 4, 4));
    }

    [Test]
    public void Transposed_convolutions_take_batch_normalization()
    {
        ModelDef model = Build.Model(13,
            Build.Node("ConvTranspose", "x w b", "c", Build.Ints("strides", 2, 2)),
            Build.Node("BatchNormalization", "c s m r v", "y")).With(["x"], ["y"]).Typed("x", -1, 3, 4, 5).With(
                PassHarness.Weights("w", 1, 3, 5, 2, 3), PassHarness.Weights("b", 2, 5), Positive("s", 3, 5),
                PassHarness.Weights("m", 4, 5), PassHarness.Weights("r", 5, 5), Positive("v", 6, 5));
        PassHarness.Check(model, "ConvTranspose", X(2, 3, 4, 5));
    }

    [Test]
    public void Convolutions_take_zeros_in_front()
    {
        ModelDef model = Build.Model(13,
            Build.Node("Pad", "x pads", "p"), Build.Node("Conv", "p w", "y", Build.Ints("pads", 0, 1, 0, 0)))
            .With(["x"], ["y"]).Typed("x", 1, 2, 5, 5).With(
                Build.Tensor("pads", [0L, 0, 1, 2, 0, 0, 3, 0], 8), PassHarness.Weights("w", 1, 4, 2, 3, 3));
        PassHarness.Check(model, "Conv", X(1, 2, 5, 5));
    }

    [Test]
    public void A_pad_of_another_number_stays()
    {
        ModelDef model = Build.Model(13, Build.Node("Pad", "x pads one", "p"), Build.Node("Conv", "p w", "y"))
            .With(["x"], ["y"]).Typed("x", 1, 2, 5, 5).With(
                Build.Tensor("pads", [0L, 0, 1, 1, 0, 0, 1, 1], 8), PassHarness.Number("one", 1),
                PassHarness.Weights("w", 1, 4, 2, 3, 3));
        PassHarness.Check(model, "Conv Pad", X(1, 2, 5, 5));
    }

    [Test]
    public void Products_of_matrices_take_bias_scale_and_batch_normalization()
    {
        ModelDef model = Build.Model(13,
            Build.Node("Mul", "x half", "h"), Build.Node("MatMul", "h w", "p"), Build.Node("Add", "b p", "a"),
            Build.Node("Mul", "a k", "c"), Build.Node("BatchNormalization", "c s m r v", "y"))
            .With(["x"], ["y"]).Typed("x", -1, 7).With(
                PassHarness.Number("half", 0.5f), PassHarness.Weights("w", 1, 7, 5), PassHarness.Weights("b", 2, 5),
                PassHarness.Weights("k", 7, 5), Positive("s", 3, 5), PassHarness.Weights("m", 4, 5), PassHarness.Weights("r", 5,
                    5),
                Positive("v", 6, 5));
        PassHarness.Check(model, "Gemm", X(3, 7));
    }

    [Test]
    public void Products_of_more_axes_keep_their_addition()
    {
        ModelDef model = Build.Model(13, Build.Node("MatMul", "x w", "p"), Build.Node("Add", "p b", "a"), Build.Node("Relu", "a",
            "y"))
            .With(["x"], ["y"]).Typed("x", -1, -1, 7).With(PassHarness.Weights("w", 1, 7, 5), PassHarness.Weights("b", 2, 5));
        PassHarness.Check(model, "Add MatMul Relu", X(2, 3, 7));
    }

    [Test]
    public void Transpositions_meet_and_go()
    {
        ModelDef model = Build.Model(13,
            Build.Node("Transpose", "x", "a", Build.Ints("perm", 0, 2, 3, 1)), Build.Node("Relu", "a", "b"),
            Build.Node("Sigmoid", "b", "c"), Build.Node("Transpose", "c", "y", Build.Ints("perm", 0, 3, 1, 2)))
            .With(["x"], ["y"]).Typed("x", -1, 3, 4, 5);
        PassHarness.Check(model, "Relu Sigmoid", X(2, 3, 4, 5), 1e-6);
    }

    [Test]
    public void Transpositions_merge_join_and_enter_gemm()
    {
        ModelDef merged = Build.Model(13,
            Build.Node("Transpose", "x", "a", Build.Ints("perm", 1, 2, 0)), Build.Node("Transpose", "a", "y", Build.Ints("perm", 1, 0, 2)))
            .With(["x"], ["y"]).Typed("x", 2, 3, 4);
        OnnxOptimization one = PassHarness.Check(merged, "Transpose", X(2, 3, 4), 0);
        Assert.That(one.Definition.Graph!.Nodes[0].Attributes["perm"].Ints, Is.EqualTo(new[] { 2L, 1, 0 }));
        ModelDef joined = Build.Model(13,
            Build.Node("Exp", "x", "e"), Build.Node("Transpose", "x", "a", Build.Ints("perm", 1, 0)),
            Build.Node("Transpose", "e", "b", Build.Ints("perm", 1, 0)), Build.Node("Add", "a b", "y")).With(["x"], ["y"]).Typed("x", 2, 3);
        PassHarness.Check(joined, "Add Exp Transpose", X(2, 3), 1e-6);
        ModelDef gemm = Build.Model(13,
            Build.Node("Transpose", "x", "a"), Build.Node("Gemm", "a w", "y", Build.Int("transB", 1)))
            .With(["x"], ["y"]).Typed("x", 4, 3).With(PassHarness.Weights("w", 1, 5, 4));
        PassHarness.Check(gemm, "Gemm", X(4, 3), 1e-6);
    }

    [Test]
    public void Clips_in_a_row_become_one()
    {
        ModelDef model = Build.Model(13,
            Build.Node("Relu", "x", "a"), Build.Node("Clip", "a - half", "b"), Build.Node("Clip", "b low one", "y"))
            .With(["x"], ["y"]).Typed("x", 9).With(
                PassHarness.Number("half", 0.5f), PassHarness.Number("low", 0.25f), PassHarness.Number("one", 1));
        PassHarness.Check(model, "Clip", X(9), 0);
        ModelDef old = Build.Model(9,
            Build.Node("Clip", "x", "a", Build.Number("max", 0.5f)), Build.Node("Relu", "a", "y")).With(["x"], ["y"]).Typed("x", 9);
        PassHarness.Check(old, "Clip", X(9), 0);
    }

    [Test]
    public void Slices_that_cut_a_value_to_pieces_become_a_split()
    {
        ModelDef model = Build.Model(13,
            Build.Node("Slice", "x n0 n3 n1", "a"), Build.Node("Slice", "x n3 n8 n1", "b"), Build.Node("Gather", "x last", "c", Build.Int("axis", 1)),
            Build.Node("ReduceSum", "a n1", "d"), Build.Node("ReduceSum", "b n1", "e"), Build.Node("ReduceSum", "c n1", "f"),
            Build.Node("Sub", "d e", "g"), Build.Node("Div", "g f", "y")).With(["x"], ["y"]).Typed("x", -1, 10).With(
                Build.Tensor("n0", [0L], 1), Build.Tensor("n1", [1L], 1), Build.Tensor("n3", [3L], 1), Build.Tensor("n8", [8L],
                    1),
                Build.Tensor("last", [8L, 9], 2));
        PassHarness.Check(model, "Div ReduceSum ReduceSum ReduceSum Split Sub", X(2, 10), 1e-5);
    }

    [Test]
    public void A_split_that_is_joined_again_goes_and_slices_of_slices_are_one()
    {
        ModelDef joined = Build.Model(13,
            Build.Node("Split", "x", "a b", Build.Int("axis", 1)), Build.Node("Concat", "a b", "c", Build.Int("axis", -1)),
            Build.Node("Relu", "c", "y")).With(["x"], ["y"]).Typed("x", 3, 4);
        PassHarness.Check(joined, "Relu", X(3, 4), 0);
        ModelDef twice = Build.Model(13,
            Build.Node("Slice", "x n1 n8 n1", "a"), Build.Node("Slice", "a n1 n4 n1", "y")).With(["x"], ["y"]).Typed("x", 2, 9).With(
                Build.Tensor("n1", [1L], 1), Build.Tensor("n8", [8L], 1), Build.Tensor("n4", [4L], 1));
        PassHarness.Check(twice, "Slice", X(2, 9), 0);
    }

    [Test]
    public void A_file_of_an_older_opset_is_raised_as_far_as_needed()
    {
        ModelDef model = Build.Model(11,
            Build.Node("Unsqueeze", "x", "u", Build.Ints("axes", 0)), Build.Node("ReduceMean", "u", "m", Build.Ints("axes", 0), Build.Int("keepdims", 0)),
            Build.Node("Split", "m", "a b", Build.Int("axis", 1), Build.Ints("split", 3, 4)), Build.Node("Softmax", "b", "s", Build.Int("axis", -1)),
            Build.Node("Sigmoid", "s", "g"), Build.Node("Mul", "s g", "w"), Build.Node("Concat", "w a", "y", Build.Int("axis", 1)))
            .With(["x"], ["y"]).Typed("x", -1, 7);
        OnnxOptimization result = PassHarness.Check(
            model, "Concat ReduceMean Softmax Split Swish Unsqueeze", X(3, 7), 1e-5, "gated-activations");
        Assert.That((result.Opset, result.Definition.IrVersion), Is.EqualTo((24L, 12L)));
        Assert.That(result.Obstacle, Is.Null);
    }

    [Test]
    public void A_node_that_means_another_thing_in_newer_opsets_keeps_the_file_where_it_is()
    {
        ModelDef model = Build.Model(11,
            Build.Node("Softmax", "x", "s", Build.Int("axis", 1)), Build.Node("Sigmoid", "s", "g"), Build.Node("Mul", "s g", "y"))
            .With(["x"], ["y"]).Typed("x", 2, 3, 4);
        OnnxOptimization result = PassHarness.Check(model, "Mul Sigmoid Softmax", X(2, 3, 4));
        Assert.That((result.Opset, result.Obstacle), Is.EqualTo((11L, "Softmax (output 's')")));
    }

    [Test]
    public void Names_of_passes_are_checked()
    {
        Assert.That(() => new OnnxSessionOptions { Passes = new HashSet<string> { "gelu", "galu" } },
            Throws.ArgumentException.With.Message.Contain("got 'galu'"));
        using OnnxModel model = Build.Model(17, Build.Node("Relu", "x", "y")).With(["x"], ["y"]).Load();
        Assert.That(() => model.Optimize(new HashSet<string> { "none" }),
            Throws.ArgumentException.With.Message.Contain("'none'"));
        Assert.That(OnnxPasses.Names, Is.Unique);
        Assert.That(OnnxPasses.Names.Select(OnnxPasses.Describe), Has.All.Not.Empty);
    }

    [Test]
    public void Branches_of_constant_conditions_take_the_place_of_If()
    {
        // The inner branch reads names of the outer one, hands an outer value through, and names of both branches are the same.
        GraphDef Inner(string name) => new()
        {
            Name = name,
            Nodes = [Build.Node(name, "t", "r")],
            Outputs = [new ValueDef { Name = "r" }, new ValueDef { Name = "x" }],
        };
        GraphDef Outer(string name) => new()
        {
            Name = name,
            Nodes =
            [
                Build.Node("Mul", "x k", "t"),
                Build.Node("If", "c", "r s", Build.Graph("then_branch", Inner(name)), Build.Graph("else_branch", Inner("Cos"))),
                Build.Node("Add", "r s", "u"),
            ],
            Initializers = { Build.Tensor("k", [3f]) },
            Outputs = [new ValueDef { Name = "u" }, new ValueDef { Name = "u" }],
        };
        ModelDef model = Build.Model(17,
                Build.Node("Less", "one two", "c"), Build.Node("Sin", "x", "t"),
                Build.Node("If", "c", "y z", Build.Graph("then_branch", Outer("Exp")), Build.Graph("else_branch", Outer("Neg"))),
                Build.Node("Add", "t y", "w"))
            .With(["x"], ["y", "z", "w"]).With(Build.Tensor("one", [1f]), Build.Tensor("two", [2f]));
        PassHarness.Check(model, "Add Add Exp Identity Mul Sin", new() { ["x"] = Build.Random(1, 3, 5) });
    }

    [Test]
    public void A_branch_that_values_decide_stays()
    {
        GraphDef Branch(string name) => new()
        {
            Name = name,
            Nodes = [Build.Node(name, "x", "r")],
            Outputs = [new ValueDef { Name = "r" }],
        };
        ModelDef model = Build.Model(17,
                Build.Node("ReduceSum", "x", "s", Build.Int("keepdims", 0)), Build.Node("Less", "s zero", "c"),
                Build.Node("If", "c", "y", Build.Graph("then_branch", Branch("Exp")), Build.Graph("else_branch", Branch("Neg"))))
            .With(["x"], ["y"]).With(Build.Tensor("zero", [0f]));
        PassHarness.Check(model, "If Less ReduceSum", new() { ["x"] = Build.Random(1, 3, 5) });
    }
}
