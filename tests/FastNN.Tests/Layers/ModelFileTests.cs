using System.Text;
using FastNN.Formats;
using FastNN.Layers;
using FastNN.Tensors;
using FastNN.Tests.Training;

namespace FastNN.Tests.Layers;

/// <summary>
/// Model files hold all that a network is: they are loaded without its code, and whatever they say, loading is bounded.
/// </summary>
internal sealed class ModelFileTests : TrainingFixture
{
    private static IEnumerable<TestCaseData> Networks() =>
        FastNN.Testing.Networks.All.Select(network => new TestCaseData(network).SetArgDisplayNames(network.Name));

    [TestCaseSource(nameof(Networks))]
    public void A_network_is_loaded_without_its_code_bit_for_bit(Network network)
    {
        Sequential model = network.Build(seed: 4);
        model.Save(PathOf("model.safetensors"));
        Model loaded = Model.Load(PathOf("model.safetensors"));
        Assert.That(
            loaded.NamedParameters.Select(named => named.ToString()),
            Is.EqualTo(model.NamedParameters.Select(named => named.ToString())));
        RequireSameOutputs(model, loaded, network.Example);

        // Saved again, it is the same file; and the weights alone are those that the metadata stands beside.
        loaded.Save(PathOf("again.safetensors"));
        Assert.That(File.ReadAllBytes(PathOf("again.safetensors")), Is.EqualTo(File.ReadAllBytes(PathOf("model.safetensors"))));
        network.Build(seed: 5).LoadWeights(PathOf("model.safetensors"));
    }

    [Test]
    public void Every_attribute_of_every_layer_comes_back()
    {
        var model = new Sequential(
            new Conv2D(4, (3, 2), Activation.LeakyReLU(0.2f))
            {
                Stride = (2, 1),
                Padding = Padding2D.Same,
                Groups = 2,
                UseBias = false,
                WeightRegularizer = Regularizer.L1L2(0.1f, 0.2f),
                Name = "first",
            },
            new Conv2D(6, 3) { Padding = Padding2D.Explicit(1, 2, 3, 0), Dilation = (1, 2) },
            new MaxPool2D(2) { Stride = 1, CeilMode = true }, new AvgPool2D((2, 1)) { Padding = (1, 0), CountIncludePad = false },
            new ActivationLayer(Activation.Tanh), new GlobalAvgPool2D(keepAxes: true), new Flatten(), new Reshape([2, 3]),
            new Softmax(axis: 1, logarithm: true), new Permute(2, 1),
            new Flatten(), new Dropout(0.25f), new Dense(5, Activation.Sigmoid) { UseBias = false },
            new Sequential { new Dense(2) { IsTrainable = false } });
        model.Build([12, 12, 4], seed: 2);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        Model loaded = Model.Load(stream);
        Assert.Multiple(() =>
        {
            Assert.That(loaded.Summary().Split('\n').Skip(4), Is.EqualTo(model.Summary().Split('\n').Skip(3)));
            Assert.That(
                ((Sequential)loaded.Wrapped!).Layers.Select(layer => layer.ToString()),
                Is.EqualTo(model.Layers.Select(layer => layer.ToString())));
            Assert.That(
                loaded.Parameters.Select(parameter => parameter.IsTrainable),
                Is.EqualTo(model.Parameters.Select(parameter => parameter.IsTrainable)));
        });
        RequireSameOutputs(model, loaded, [12, 12, 4]);
    }

    [Test]
    public void Functional_models_come_back_with_their_inputs_outputs_and_shared_layers()
    {
        var encoder = new Sequential(new Dense(6, Activation.Tanh), new Dense(4)) { Name = "encoder" };
        Symbol a = Model.Input("a", [3]), b = Model.Input("b", [Dim.Named("T"), 3]);
        Symbol left = encoder.Apply(a), right = encoder.Apply(b);
        var model = new Model(
            [a, b],
            [
                ("sum", left + left), ("right", new ActivationLayer(Activation.ReLU).Apply(right)),
                ("both", new Concatenate(-1).Apply(left, left * left))])
        {
            ClassNames = ["cat", "dog\u202e"],
            Preprocessing = Preprocessing.Standardizing([1, 2, 3], [2, 4, 8]),
        };
        model.Build(seed: 1);
        model.Save(PathOf("model.safetensors"));
        Model loaded = Model.Load(PathOf("model.safetensors"));
        Assert.Multiple(() =>
        {
            Assert.That(loaded.Inputs, Is.EqualTo(model.Inputs));
            Assert.That(loaded.Outputs, Is.EqualTo(model.Outputs));
            Assert.That(
                loaded.NamedParameters.Select(named => named.ToString()),
                Is.EqualTo(model.NamedParameters.Select(named => named.ToString())));
            Assert.That(loaded.ClassNames, Is.EqualTo(model.ClassNames));
            Assert.That(loaded.Preprocessing!.Offset.ToArray(), Is.EqualTo(new float[] { 1, 2, 3 }));
            Assert.That(loaded.Preprocessing.Scale.ToArray(), Is.EqualTo(new float[] { 0.5f, 0.25f, 0.125f }));
        });
        float[][] expected = Run(model), actual = Run(loaded);
        for (int i = 0; i < expected.Length; i++)
        {
            Near.SameBits(expected[i], actual[i]);
        }
    }

    [Test]
    public void Class_names_and_preprocessing_of_a_sequential_are_given_when_it_is_saved()
    {
        Sequential model = Toy.Built();
        model.Save(
            PathOf("model.safetensors"),
            new() { ClassNames = ["a", "b", "c", "d"], Preprocessing = Preprocessing.Scaling(1 / 255f) });
        Model loaded = Model.Load(PathOf("model.safetensors"));
        Assert.That(loaded.ClassNames, Is.EqualTo(new[] { "a", "b", "c", "d" }));
        float[] x = [255, 51];
        loaded.Preprocessing!.Apply(x);
        Assert.That(x, Is.EqualTo(new[] { 1, 0.2f }).Within(1e-6f));
    }

    [Test]
    public void Initializers_are_kept_so_that_a_loaded_model_can_start_anew()
    {
        var model = new Sequential(
            new Conv2D(3, 3) { WeightInitializer = Initializer.HeNormal, BiasInitializer = Initializer.Constant(0.5f) },
            new Flatten(),
            new Dense(5)
            {
                WeightInitializer = Initializer.Uniform(-0.1f, 0.25f),
                BiasInitializer = Initializer.Normal(
                1, 0.125f)
            },
            new Dense(4) { WeightInitializer = Initializer.GlorotNormal },
            new Dense(3) { WeightInitializer = Initializer.HeUniform },
            new Dense(2));
        model.Build([6, 6, 2], seed: 3);
        model.Save(PathOf("model.safetensors"));
        Model loaded = Model.Load(PathOf("model.safetensors"));
        Near.SameBits(Toy.Parameters(model), Toy.Parameters(loaded));
        loaded.Reinitialize(seed: 4);
        Assert.That(Toy.Parameters(loaded), Is.Not.EqualTo(Toy.Parameters(model)));
        loaded.Reinitialize(seed: 3);
        Near.SameBits(Toy.Parameters(model), Toy.Parameters(loaded));
        Assert.That(
            model.Layers[2].ToString(),
            Is.EqualTo("Dense(units: 5, weightInitializer: Uniform(-0.1, 0.25), biasInitializer: Normal(1, 0.125))"));
    }

    [TestCase("HeNormal(1)")]
    [TestCase("Uniform(1)")]
    [TestCase("Constant(NaN)")]
    [TestCase("Lecun")]
    [TestCase("(")]
    public void An_initializer_that_nobody_knows_is_refused(string text) =>
        Assert.That(
            () => DescriptionExtensions.ParseInitializer(text),
            Throws.ArgumentException.With.Message.Contains(text).And.Message.Contains("HeNormal"));

    [Test]
    public void A_layer_of_a_user_is_saved_once_it_is_registered()
    {
        var model = new Sequential(new Scale(2), new Dense(2));
        model.Build([3]);
        Assert.That(
            () => model.Save(PathOf("m.safetensors")),
            Throws.InvalidOperationException.With.Message.Contains("Scale is of no registered kind").And.Message.Contains(
                "SaveWeights"));
        Assert.That(File.Exists(PathOf("m.safetensors")), Is.False);
        model.SaveWeights(PathOf("w.safetensors"));
        Assert.That(
            () => Model.Load(PathOf("w.safetensors")),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("weights alone"));

        var known = new Sequential(new RegisteredScale(3), new Dense(2));
        known.Build([3]);
        LayerKinds.Register(
            "tests.Scale", description => new RegisteredScale(description.Single("factor")) { Name = description.Name });
        known.Save(PathOf("m.safetensors"));
        RequireSameOutputs(known, Model.Load(PathOf("m.safetensors")), [3]);
        Assert.That(() => LayerKinds.Register("tests.Scale", _ => new Scale(1)), Throws.ArgumentException);
        Assert.That(() => LayerKinds.Register("Dense", _ => new Scale(1)), Throws.ArgumentException);
    }

    [Test]
    public void Every_layer_of_the_library_can_be_saved()
    {
        Type[] unregistered = [.. typeof(Layer).Assembly.GetTypes()
            .Where(
                type => type.IsSubclassOf(typeof(Layer)) && type is { IsAbstract: false, IsPublic: true }
                    && LayerKinds.Find(type.Name) is null)];
        Assert.That(unregistered, Is.Empty, "register them in BuiltInLayers");
    }

    [TestCase("{", "")]
    [TestCase("[]", "")]
    [TestCase("{}", "")]
    [TestCase("""{"version":2,"layers":[],"frozen":[]}""", "version 1, got 2")]
    [TestCase("""{"version":1,"layers":[],"frozen":[]}""", "at least one layer")]
    [TestCase("""{"version":1,"layers":[{"kind":"Snake","with":{}}],"frozen":[]}""", "'Snake'; register it")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Dense","with":{}}],"input":"x","shape":"2","frozen":[]}""",
        "attribute 'units', got nothing")]
    [TestCase("""{"version":1,"layers":[{"kind":"Dense","with":{"units":-1}}],"input":"x","shape":"2","frozen":[]}""", "units")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Dense","with":{"units":1e300}}],"input":"x","shape":"2","frozen":[]}""",
        "a whole number")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Dense","with":{"units":2147483647}}],"input":"x","shape":"2147483647","frozen":[]}""",
        "elements")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Dense","with":{"units":2,"activation":"Snake"}}],"input":"x","shape":"2","frozen":[]}""", "no activation 'Snake'")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Dense","with":{"units":2,"activation":"LeakyReLU(NaN)"}}],"input":"x","shape":"2","frozen":[]}""", "LeakyReLU")]
    [TestCase("""{"version":1,"layers":[{"kind":"Dense","with":{"units":[[2]]}}],"input":"x","shape":"2","frozen":[]}""", "")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Sequential","with":{},"layers":[0]}],"input":"x","shape":"2","frozen":[]}""",
        "parts before")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Sequential","with":{},"layers":[-1]}],"input":"x","shape":"2","frozen":[]}""",
        "parts before")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Sequential","with":{}}],"input":"x","shape":"2","frozen":[]}""", "at least one layer")]
    [TestCase("""{"version":1,"layers":[{"kind":"Dense","with":{"units":2}}],"input":"x","shape":"0","frozen":[]}""", "")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Dense","with":{"units":2}}],"input":"x","shape":"2, 2, 2, 2, 2, 2, 2, 2, 2","frozen":[]}""", "8 extents")]
    [TestCase("""{"version":1,"layers":[{"kind":"Dense","with":{"units":2}}],"input":"x","shape":"-3","frozen":[]}""", "extents")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Conv2D","with":{"filters":2,"kernel":[1,2,3]}}],"input":"x","shape":"4, 4, 1","frozen":[]}""", "rows and columns")]
    [TestCase("""{"version":1,"layers":[{"kind":"Model","with":{}}],"frozen":[]}""", "nodes")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Model","with":{"nodes":[0],"inputs":["x"],"shapes":["2"],"types":["Float32"],"outputs":["y"],"gives":[0,0]}}],"frozen":[]}""", "")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Model","with":{"nodes":[-1,5],"inputs":["x"],"shapes":["2"],"types":["Float32"],"outputs":["y"],"gives":[0,0]}}],"frozen":[]}""", "place in its lists")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Model","with":{"nodes":[-1,0],"inputs":["x"],"shapes":["2"],"types":["Complex"],"outputs":["y"],"gives":[0,0]}}],"frozen":[]}""", "'Complex'")]
    [TestCase(
        """{"version":1,"layers":[{"kind":"Model","with":{"nodes":[-1,0],"inputs":["x"],"shapes":["2"],"types":["Float32"],"outputs":["y"],"gives":[0,7]}}],"frozen":[]}""", "")]
    public void Metadata_that_describes_no_model_is_one_error(string json, string what)
    {
        var writer = new SafetensorsWriter();
        writer.SetMetadata("fastnn.model", json);
        writer.Save(PathOf("bad.safetensors"));
        Assert.That(
            () => Model.Load(PathOf("bad.safetensors")), Throws.TypeOf<FileFormatException>().With.Message.Contains(what));
    }

    [Test]
    public void A_file_that_multiplies_shared_layers_is_refused_before_they_are_recorded()
    {
        // Each layer is the one before it twice: forty lines, 2^40 layers.
        var json = new StringBuilder("""{"version":1,"layers":[{"kind":"Flatten","with":{}}""");
        for (int i = 0; i < 40; i++)
        {
            json.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $$""",{"kind":"Sequential","with":{},"layers":[{{i}},{{i}}]}""");
        }

        json.Append("""],"input":"x","shape":"2","frozen":[]}""");
        var writer = new SafetensorsWriter();
        writer.SetMetadata("fastnn.model", json.ToString());
        writer.Save(PathOf("bomb.safetensors"));
        Assert.That(
            () => Model.Load(PathOf("bomb.safetensors")),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("1,000,000 layers"));
    }

    [Test]
    public void Parameters_are_taken_from_memory_only_where_the_file_has_them()
    {
        // 16 GiB of parameters, none of them in the file.
        var writer = new SafetensorsWriter();
        writer.SetMetadata(
            "fastnn.model",
            """{"version":1,"layers":[{"kind":"Dense","with":{"units":32768}},{"kind":"Dense","with":{"units":32768}},{"kind":"Dense","with":{"units":32768}},{"kind":"Dense","with":{"units":32768}},{"kind":"Sequential","with":{},"layers":[0,1,2,3]}],"input":"x","shape":"32768","frozen":[]}""");
        writer.Save(PathOf("empty.safetensors"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(
            () => Model.Load(PathOf("empty.safetensors")),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("a tensor '0.weight'"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [Test]
    public void Saving_holds_one_parameter_at_a_time()
    {
        var model = new Sequential(
            new Dense(512), new Dense(512), new Dense(512), new Dense(512), new Dense(512), new Dense(512));
        model.Build([512]);
        model.Save(Stream.Null);
        long parameter = 512 * 512 * sizeof(float), all = 6 * parameter;
        long peak = 0, before = GC.GetTotalMemory(forceFullCollection: true);
        using var stream = new Watching(() => peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: true) - before));
        model.Save(stream);
        Assert.That(stream.Length, Is.GreaterThan(all));
        Assert.That(peak, Is.LessThan(3 * parameter), "a copy in the engine's order and one in the file's");
    }

    private static float[][] Run(Model model)
    {
        using Device device = Device.Cpu(1);
        using Session session = model.CreateSession(device, new SessionOptions { ApplyPreprocessing = false });
        using SessionRun run = session.Begin([2, 3], [2, 5, 3]);
        float[] a = new float[6], b = new float[30];
        Philox.FillUniform(a, 1, 1);
        Philox.FillUniform(b, 1, 2);
        run.Write("a", a.AsSpan());
        run.Write("b", b.AsSpan());
        run.Compute();
        float[] sum = new float[8], right = new float[40], both = new float[16];
        run.Read("sum", sum.AsSpan());
        run.Read("right", right.AsSpan());
        run.Read("both", both.AsSpan());
        return [sum, right, both];
    }

    private void RequireSameOutputs(Layer expected, Layer actual, Shape example)
    {
        var x = new float[3 * example.Count];
        Philox.FillUniform(x, 1, 1);
        using Predictor a = expected.CreatePredictor(Device), b = actual.CreatePredictor(Device);
        Near.SameBits(a.Predict(x), b.Predict(x));
    }

    private sealed class Scale(float factor) : Layer
    {
        protected override Value Forward(Value x) => x.Graph.Constant(factor) * x;
    }

    private sealed class RegisteredScale(float factor) : Layer
    {
        protected override Value Forward(Value x) => x.Graph.Constant(factor) * x;

        protected internal override void Describe(LayerDescription description) => description.Set("factor", factor);
    }

    /// <summary>Takes bytes away and looks around now and then.</summary>
    private sealed class Watching(Action look) : Stream
    {
        private long _length;
        private long _looked;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _length;

        public override long Position
        {
            get => _length;
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _length += buffer.Length;
            if (_length - _looked > 1 << 19)
            {
                _looked = _length;
                look();
            }
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
