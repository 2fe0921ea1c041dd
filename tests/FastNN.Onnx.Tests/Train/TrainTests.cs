using FastNN.Onnx.Model;
using FastNN.Onnx.Tests.Export;

namespace FastNN.Onnx.Tests.Train;

/// <summary>Files as models of the library: the same numbers, which train, freeze, save and are written again.</summary>
public sealed class TrainTests
{
    private Device _device = null!;

    private static IEnumerable<NetworkCase> Cases =>
        [.. NetworkTable.Large.Where(one => one.Name != "ResNet-18"), .. NetworkTable.Layers];

    [OneTimeSetUp]
    public void Open() => _device = Device.Cpu(2);

    [OneTimeTearDown]
    public void Close() => _device.Dispose();

    /// <summary>What is open in files is settled, since training wants numbers.</summary>
    private static readonly Dictionary<string, int> Lengths = new() { ["length"] = 6 };

    private static FastNN.Model Import(Layer model)
    {
        using var stream = new MemoryStream();
        model.ExportOnnx(stream);
        using OnnxModel file = OnnxModel.Load(stream.ToArray());
        return file.ToModel(new OnnxImportOptions { Extents = Lengths });
    }

    [TestCaseSource(nameof(Cases))]
    public void What_was_written_comes_back_and_is_written_again(object network)
    {
        var one = (NetworkCase)network;
        OnnxExport.Written first = OnnxExport.Write(one.Make(), 17, null);
        byte[] bytes = ModelWriter.Write(first.Model).ToArray();
        using OnnxModel file = OnnxModel.Load(bytes, one.Name);
        FastNN.Model model = file.ToModel(new OnnxImportOptions { Extents = Lengths });
        Assert.That(
            model.NamedParameters.Select(named => named.Name).Order(),
            Is.EqualTo(first.Model.Graph!.Initializers.Select(tensor => tensor.Name).Order()));
        OnnxExport.Written second = OnnxExport.Write(model, 17, null);
        Assert.That(
            second.Model.Graph!.Initializers.Select(tensor => tensor.Name).Order(),
            Is.EqualTo(first.Model.Graph.Initializers.Select(tensor => tensor.Name).Order()));
        using var before = new Peer(bytes, optimizes: false);
        using var after = new Peer(ModelWriter.Write(second.Model).ToArray(), optimizes: false);
        OnnxTensor[] given = one.Inputs(first.Ports.Inputs, batch: 2, length: 6);
        var named = new Dictionary<string, OnnxValue>();
        for (int i = 0; i < given.Length; i++)
        {
            named.Add(first.Ports.Inputs[i].Name, Layouts.ToFile(first.Ports.Inputs[i], given[i]));
        }

        OnnxTensor[] wanted = before.Run(named), got = after.Run(named);
        for (int i = 0; i < wanted.Length; i++)
        {
            Assert.That(
                Layouts.Distance(Layouts.Numbers(got[i]), Layouts.Numbers(wanted[i])), Is.LessThan(one.Tolerance), $"output {i}");
        }
    }

    [Test]
    public void An_imported_network_trains_as_the_one_that_it_was_written_from()
    {
        Sequential Network()
        {
            var model = new Sequential(
                new Conv2D(6, 3, Activation.ReLU) { Padding = 1 }, new BatchNorm2D(), new MaxPool2D(2), new Flatten(),
                new Dense(9, Activation.Tanh), new BatchNorm1D(), new Dense(4));
            model.Build(new Shape(6, 6, 2), seed: 3);
            return model;
        }

        Sequential native = Network();
        FastNN.Model imported = Import(Network());
        using var first = new Trainer(native, _device, Loss.SparseCrossEntropy, new Sgd(0.1f, momentum: 0.9f));
        using var second = new Trainer(imported, _device, Loss.SparseCrossEntropy, new Sgd(0.1f, momentum: 0.9f));
        float start = 0, end = 0;
        for (int step = 0; step < 20; step++)
        {
            float[] x = Build.Random(step % 3, 7, 6, 6, 2).Floats();
            int[] labels = [0, 1, 2, 3, 2, 1, 0];
            float wanted = first.TrainBatch(x, labels);
            end = second.TrainBatch(x, labels);
            Assert.That(end, Is.EqualTo(wanted).Within(1e-3), $"step {step}");
            start = step == 0 ? end : start;
        }

        Assert.That(end, Is.LessThan(start / 2));
        foreach (NamedParameter named in native.NamedParameters)
        {
            Parameter parameter = imported.NamedParameters.Single(other => other.Name == named.Name).Parameter;
            Assert.That(parameter.IsBuffer, Is.EqualTo(named.Parameter.IsBuffer), named.Name);
            float[] wanted = InFile(named.Parameter), got = InFile(parameter);
            Assert.That(Layouts.Distance(
                Array.ConvertAll(got, value => (double)value), Array.ConvertAll(wanted, value => (double)value)),
                Is.LessThan(5e-3), named.Name);
        }
    }

    [Test]
    public void A_recurrent_network_trains_as_the_one_that_it_was_written_from()
    {
        Sequential Network()
        {
            var model = new Sequential(
                new Lstm(5) { IsBidirectional = true }, new Gru(4) { ReturnSequences = false }, new Dense(3));
            model.Build(new Shape(6, 3), seed: 3);
            return model;
        }

        Sequential native = Network();
        FastNN.Model imported = Import(Network());
        using var first = new Trainer(native, _device, Loss.SparseCrossEntropy, new Sgd(0.2f));
        using var second = new Trainer(imported, _device, Loss.SparseCrossEntropy, new Sgd(0.2f));
        for (int step = 0; step < 6; step++)
        {
            float[] x = Build.Random(step, 4, 6, 3).Floats();
            float wanted = first.TrainBatch(x, [0, 1, 2, 1]);
            Assert.That(second.TrainBatch(x, [0, 1, 2, 1]), Is.EqualTo(wanted).Within(1e-4), $"step {step}");
        }
    }

    [Test]
    public void Frozen_parameters_stay_and_the_others_move()
    {
        FastNN.Model model = Import(NetworkCase.Of(
            "cnn", [6, 6, 2], new Conv2D(4, 3, Activation.ReLU), new Flatten(), new Dense(3)).Make());
        foreach (NamedParameter named in model.NamedParameters)
        {
            named.Parameter.IsTrainable = named.Name.StartsWith('2');
        }

        var before = model.NamedParameters.ToDictionary(named => named.Name, named => InFile(named.Parameter));
        using (var trainer = new Trainer(model, _device, Loss.SparseCrossEntropy, new Adam(0.01f)))
        {
            trainer.TrainBatch(Build.Random(1, 3, 6, 6, 2).Floats(), [0, 1, 2]);
        }

        foreach (NamedParameter named in model.NamedParameters)
        {
            bool stays = InFile(named.Parameter).SequenceEqual(before[named.Name]);
            Assert.That(stays, Is.EqualTo(!named.Name.StartsWith('2')), named.Name);
        }
    }

    [Test]
    public void An_imported_model_is_saved_with_its_graph_and_loaded_without_the_file()
    {
        FastNN.Model model = Import(NetworkCase.Of(
            "cnn", [6, 6, 2], new Conv2D(4, 3, Activation.ReLU), new BatchNorm2D(), new Flatten(), new Dense(3)).Make());
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        FastNN.Model again = FastNN.Model.Load(stream);
        float[] x = Build.Random(4, 2, 6, 6, 2).Floats(), wanted = new float[6], got = new float[6];
        using (Session session = model.CreateSession(_device), other = again.CreateSession(_device))
        {
            session.Run(x, wanted);
            other.Run(x, got);
        }

        Assert.That(got, Is.EqualTo(wanted));
    }

    [Test]
    public void Channels_can_stay_in_front()
    {
        using var stream = new MemoryStream();
        NetworkCase.Of("cnn", [6, 5, 2], new Conv2D(4, 3)).Make().ExportOnnx(stream);
        using OnnxModel file = OnnxModel.Load(stream.ToArray());
        FastNN.Model last = file.ToModel(), first = file.ToModel(new OnnxImportOptions { ChannelsLast = false });
        Assert.That(last.ExampleShape, Is.EqualTo(new Shape(6, 5, 2)));
        Assert.That(first.ExampleShape, Is.EqualTo(new Shape(2, 6, 5)));
        var x = Build.Random(1, 1, 2, 6, 5);
        float[] wanted = file.Evaluate(new Dictionary<string, OnnxValue> { ["input"] = x })[0].Floats();
        var got = new float[wanted.Length];
        using Session session = first.CreateSession(_device);
        session.Run(x.Floats(), got);
        Assert.That(got, Is.EqualTo(wanted).Within(1e-5));
    }

    [Test]
    public void Settings_are_no_parameters_and_dropout_drops_in_training()
    {
        using OnnxModel file = Build.Model(17,
                Build.Node("Mul", "x w", "a"),
                Build.Node("Clip", "a low high", "b"),
                Build.Node("Dropout", "b ratio", "c"),
                Build.Node("Gemm", "c v", "y", Build.Number("alpha", 2)))
            .Of("x", ["batch", "40"]).Of("y", null)
            .With(
                Build.Tensor("w", [.. Enumerable.Repeat(1f, 40)], 40), Build.Tensor("low", [0f]), Build.Tensor("high", [6f]),
                Build.Tensor("ratio", [0.5f]), Build.Tensor("v", Build.Random(1, 40, 1).Floats(), 40, 1)).Load();
        FastNN.Model model = file.ToModel();
        Assert.That(model.NamedParameters.Select(named => named.Name), Is.EqualTo(new[] { "w", "v" }));
        float[] x = [.. Enumerable.Repeat(1f, 40)], y = new float[1];
        using Session session = model.CreateSession(_device);
        session.Run(x, y);
        float sum = Build.Random(1, 40, 1).Floats().Sum();
        Assert.That(y[0], Is.EqualTo(2 * sum).Within(1e-4));
        using var trainer = new Trainer(model, _device, Loss.MeanSquaredError, new Sgd(1e-6f));
        Assert.That(trainer.TrainBatch(x, [0f]), Is.Not.EqualTo(y[0] * y[0]).Within(1e-3));
    }

    /// <summary>TensorFlow's files slice every axis, most of them whole.</summary>
    [TestCase(int.MaxValue)]
    [TestCase(long.MaxValue)]
    public void A_slice_may_take_all_examples(long end)
    {
        using OnnxModel file = Build.Model(17, Build.Node("Slice", "x s e", "part"), Build.Node("Mul", "part w", "y"))
            .Of("x", ["batch", "6"]).Of("y", null)
            .With(Build.Tensor("s", [0L, 1], 2), Build.Tensor("e", [end, 4L], 2), Build.Tensor("w", [1f, 2, 3], 3)).Load();
        FastNN.Model model = file.ToModel();
        using Session session = model.CreateSession(_device);
        var y = new float[6];
        session.Run([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], y);
        Assert.That(y, Is.EqualTo(new float[] { 2, 6, 12, 8, 18, 30 }));
    }

    [Test]
    public void A_slice_of_some_examples_is_refused_by_name()
    {
        using OnnxModel file = Build.Model(17, Build.Node("Slice", "x s e", "y"))
            .Of("x", ["batch", "6"]).Of("y", null).With(Build.Tensor("s", [1L], 1), Build.Tensor("e", [long.MaxValue], 1)).Load();
        Assert.That(() => file.ToModel(), Throws.TypeOf<OnnxException>().With.Message.Contains("Slice (output 'y')"));
    }

    [TestCase("Expand")]
    [TestCase("ConstantOfShape")]
    public void Constants_have_the_number_of_examples_where_the_file_says_so(string name)
    {
        NodeDef constant = name == "Expand" ? Build.Node(name, "one s", "e")
            : Build.Node(name, "s", "e", new AttributeDef
            {
                Name = "value",
                Kind = AttributeKind.Tensor,
                Tensor = Build.Tensor("value", [1f], 1),
            });
        using OnnxModel file = Build.Model(17, Build.Node("Shape", "x", "s"), constant, Build.Node("Add", "x e", "y"))
            .Of("x", ["batch", "2"]).Of("y", null).With(Build.Tensor("one", [1f], 1)).Load();
        using Session session = file.ToModel().CreateSession(_device);
        var y = new float[4];
        session.Run([1, 2, 3, 4], y);
        Assert.That(y, Is.EqualTo(new float[] { 2, 3, 4, 5 }));
    }

    [TestCase(1L, 4L)]
    [TestCase(1L, -1L)]
    public void A_shape_for_one_example_is_one_for_each_of_several(long rows, long columns)
    {
        using OnnxModel file = Build.Model(17, Build.Node("Reshape", "x s", "r"), Build.Node("MatMul", "r w", "y"))
            .Of("x", ["1", "2", "2"]).Of("y", null)
            .With(Build.Tensor("s", [rows, columns], 2), Build.Tensor("w", [1f, 2, 3, 4], 4, 1)).Load();
        using Session session = file.ToModel().CreateSession(_device);
        var y = new float[2];
        session.Run([1, 1, 1, 1, 1, 0, 0, 2], y);
        Assert.That(y, Is.EqualTo(new float[] { 10, 9 }));
    }

    [Test]
    public void A_file_that_computes_with_one_example_is_refused_with_the_reason()
    {
        using OnnxModel file = Build.Model(17, Build.Node("Reshape", "x s", "r"), Build.Node("MatMul", "r w", "y"))
            .Of("x", ["1", "2", "2"]).Of("y", null)
            .With(Build.Tensor("s", [2L, 2], 2), Build.Tensor("w", [1f, 2], 2, 1)).Load();
        Assert.That(() => file.ToModel(), Throws.TypeOf<OnnxException>().With.Message.Contains("Reshape (output 'r')")
            .And.Message.Contains("fixes the number of examples at 1"));
    }

    [Test]
    public void Borders_are_added_to_images_of_any_number_of_examples()
    {
        using OnnxModel file = Build.Model(17, Build.Node("Pad", "x p", "q"), Build.Node("Conv", "q w", "y"))
            .Of("x", ["batch", "1", "2", "2"]).Of("y", null)
            .With(Build.Tensor("p", [0L, 0, 0, 0, 0, 0, 1, 1], 8), Build.Tensor("w", [1f, 2, 3, 4], 1, 1, 2, 2)).Load();
        using Session session = file.ToModel().CreateSession(_device);
        var y = new float[4];
        session.Run([1, 1, 1, 1], y);
        Assert.That(y, Is.EqualTo(new float[] { 10, 4, 3, 1 }));
    }

    /// <summary>A sequence that a file turns behind its convolution is none with as many channels as steps.</summary>
    [Test]
    public void Sequences_that_the_file_turns_come_out_as_it_has_them()
    {
        using OnnxModel file = Build.Model(17,
                Build.Node("Conv", "x w", "c"), Build.Node("Transpose", "c", "t", Build.Ints("perm", 0, 2, 1)),
                Build.Node("Relu", "t", "y"))
            .Of("x", ["batch", "2", "5"]).Of("y", null)
            .With(Build.Tensor("w", Build.Random(1, 3, 2, 1).Floats(), 3, 2, 1)).Load();
        FastNN.Model model = file.ToModel();
        using var stream = new MemoryStream();
        model.ExportOnnx(stream);
        using OnnxModel again = OnnxModel.Load(stream.ToArray());
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = Build.Random(2, 2, 2, 5) };
        OnnxTensor wanted = (OnnxTensor)file.Evaluate(inputs)[0]!, got = (OnnxTensor)again.Evaluate(inputs)[0]!;
        Assert.That(got.Dims, Is.EqualTo(wanted.Dims));
        Assert.That(got.Floats(), Is.EqualTo(wanted.Floats()).Within(1e-6));
    }

    /// <summary>Heads of an attention beside the examples, as PyTorch's file of a vision transformer has them.</summary>
    [Test]
    public void Axes_may_be_multiples_of_the_number_of_examples()
    {
        using OnnxModel file = Build.Model(17,
                Build.Node("Shape", "x", "s"), Build.Node("Gather", "s zero", "n"), Build.Node("Mul", "n two", "n2"),
                Build.Node("Concat", "n2 three", "wide", Build.Int("axis", 0)), Build.Node("Reshape", "x wide", "h"),
                Build.Node("MatMul", "h w", "p"), Build.Node("Div", "n2 two", "back"),
                Build.Node("Concat", "back rest", "narrow", Build.Int("axis", 0)), Build.Node("Reshape", "p narrow", "y"))
            .Of("x", ["batch", "6"]).Of("y", null)
            .With(
                Build.Tensor("zero", [0L], 1), Build.Tensor("two", [2L], 1), Build.Tensor("three", [3L], 1),
                Build.Tensor("rest", [-1L], 1), Build.Tensor("w", [1f, 0, 0, 1, 1, 1], 3, 2)).Load();
        FastNN.Model model = file.ToModel();
        using Session session = model.CreateSession(_device);
        var y = new float[8];
        session.Run([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], y);
        Assert.That(y, Is.EqualTo(new float[] { 4, 5, 10, 11, 16, 17, 22, 23 }));
        using var stream = new MemoryStream();
        model.ExportOnnx(stream);
        using OnnxModel again = OnnxModel.Load(stream.ToArray());
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = Build.Random(5, 3, 6) };
        Assert.That(
            ((OnnxTensor)again.Evaluate(inputs)[0]!).Floats(),
            Is.EqualTo(((OnnxTensor)file.Evaluate(inputs)[0]!).Floats()).Within(1e-6));
    }

    [TestCase("Mul", 5L, false)]
    [TestCase("Mul", -1L, true)]
    [TestCase("Div", 2L, true)]
    [TestCase("Add", 1L, true)]
    public void Other_calculations_with_the_number_of_examples_are_refused_by_name(string name, long number, bool refused)
    {
        using OnnxModel file = Build.Model(17,
                Build.Node("Shape", "x", "s"), Build.Node("Gather", "s zero", "n"), Build.Node(name, "n number", "m"),
                Build.Node("Concat", "m rest", "shape", Build.Int("axis", 0)), Build.Node("Reshape", "x shape", "y"))
            .Of("x", ["batch", "5", "2"]).Of("y", null)
            .With(Build.Tensor("zero", [0L], 1), Build.Tensor("number", [number], 1), Build.Tensor("rest", [-1L], 1)).Load();
        Assert.That(() => file.ToModel(), refused
            ? Throws.TypeOf<OnnxException>().With.Message.Contains($"{name} (output 'm')")
            : Throws.Nothing);
    }

    [Test]
    public void Extents_that_have_to_be_given_are_named()
    {
        using OnnxModel file = Build.Model(17, Build.Node("Conv", "x w", "y"))
            .Of("x", ["batch", "1", "height", "width"]).Of("y", null)
            .With(Build.Tensor("w", [1f, 2, 3, 4], 1, 1, 2, 2)).Load();
        Assert.That(() => file.ToModel(), Throws.TypeOf<OnnxException>().With.Message.Contains("'height', 'width'"));
    }

    /// <summary>What goes in and comes out lies as in the file that was read.</summary>
    [TestCase("DepthToSpace", 8)]
    [TestCase("SpaceToDepth", 3)]
    public void Images_come_out_of_pixel_shuffles_as_they_were(string name, int filters)
    {
        using OnnxModel file = Build.Model(17,
                Build.Node("Conv", "x w", "c"),
                Build.Node(name, "c", "y", Build.Int("blocksize", 2), Build.Text("mode", "CRD")))
            .Of("x", ["batch", "3", "6", "8"]).Of("y", null)
            .With(Build.Tensor("w", Build.Random(1, filters, 3, 1, 1).Floats(), filters, 3, 1, 1)).Load();
        using var stream = new MemoryStream();
        file.ToModel().ExportOnnx(stream);
        using OnnxModel again = OnnxModel.Load(stream.ToArray());
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = Build.Random(2, 2, 3, 6, 8) };
        OnnxTensor wanted = (OnnxTensor)file.Evaluate(inputs)[0]!, got = (OnnxTensor)again.Evaluate(inputs)[0]!;
        Assert.That(got.Dims, Is.EqualTo(wanted.Dims));
        Assert.That(got.Floats(), Is.EqualTo(wanted.Floats()).Within(1e-5));
    }

    [Test]
    public void An_operator_without_a_gradient_form_is_refused_by_name()
    {
        using OnnxModel file = Build.Model(17, Build.Node("Det", "x", "y")).Of("x", ["batch", "2", "2"]).Of("y", null).Load();
        Assert.That(() => file.ToModel(), Throws.TypeOf<OnnxException>().With.Message.Contains("Det (output 'y')"));
    }

    private static float[] InFile(Parameter parameter)
    {
        var engine = new float[parameter.Count];
        var file = new float[parameter.Count];
        parameter.Read(engine);
        parameter.Layout.ToFile(parameter.Shape, engine, file);
        return file;
    }
}
