using System.Buffers.Binary;
using FastNN.Formats;

namespace FastNN.Tests.Formats;

public sealed class TensorBoardWriterTests : FolderFixture
{
    [Test]
    public void Every_byte_of_a_scalar_is_as_the_formats_ask()
    {
        using var stream = new MemoryStream();
        using (var writer = new TensorBoardWriter(
            new EventFile(stream, "memory"), new FixedTime(), capacity: 8, maxBytes: 8, TimeSpan.Zero))
        {
            writer.AddScalar("a/b", 0.5, 300);
        }

        // wall_time 1,700,000,000.25, file_version; then wall_time, step, a summary of one value with tag and simple_value. The
        // checksum of a length of 24 is in the first bytes of every file that TensorFlow writes.
        byte[] time = new byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(time, 1_700_000_000.25);
        byte[] version = [0x09, .. time, 0x1A, 0x0D, .. "brain.Event:2"u8];
        byte[] scalar = [0x09, .. time, 0x10, 0xAC, 0x02, 0x2A, 0x0C, 0x0A, 0x0A, 0x0A, 0x03, .. "a/b"u8, 0x15, 0, 0, 0, 0x3F];
        byte[] file = stream.ToArray();
        Assert.That(file[..12], Is.EqualTo(new byte[] { 24, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22 }));
        Assert.That(file[12..36], Is.EqualTo(version));
        Assert.That(file[52..^4], Is.EqualTo(scalar));
        Assert.That(EventReader.Read(file), Has.Count.EqualTo(2));
    }

    [Test]
    public void Scalars_come_back_with_tags_and_steps()
    {
        double[] numbers = [0, -1.5, double.NaN, double.PositiveInfinity, 1e300, 1e-300];
        long[] steps = [0, 1, 127, 128, 1L << 40, -1];
        using (var writer = new TensorBoardWriter(Folder))
        {
            for (int i = 0; i < numbers.Length; i++)
            {
                writer.AddScalar($"ünï/{i}", numbers[i], steps[i]);
            }
        }

        List<(long Step, EventMessage Value)> values = EventReader.Values(Folder);
        Assert.That(values.Select(value => value.Step), Is.EqualTo(steps));
        Assert.That(values.Select(value => value.Value.Get<string>("tag")), Is.EqualTo(steps.Select((_, i) => $"ünï/{i}")));
        Assert.That(
            values.Select(value => value.Value.Get<float>("simple_value")), Is.EqualTo(numbers.Select(number => (float)number)));
    }

    [Test]
    public void Files_begin_with_a_version_and_have_names_that_are_looked_for()
    {
        string run = Path.Combine(Folder, "a", "b");
        using var first = new TensorBoardWriter(run);
        using var second = new TensorBoardWriter(run);
        first.Flush();
        first.AddScalar("x", 1, 1);
        first.Flush();
        EventMessage[] events = [.. EventReader.ReadFile(first.FilePath)];
        Assert.Multiple(() =>
        {
            Assert.That(second.FilePath, Is.Not.EqualTo(first.FilePath));
            Assert.That(Path.GetFileName(first.FilePath), Does.Match(@"^events\.out\.tfevents\.\d{10}\.[\w-]+\.\d+\.\d+$"));
            Assert.That(Path.GetDirectoryName(first.FilePath), Is.EqualTo(run));
            Assert.That(events[0].Get<string>("file_version"), Is.EqualTo("brain.Event:2"));
            Assert.That(
                events[1].Get<double>("wall_time"),
                Is.EqualTo((DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).TotalSeconds).Within(100));
        });
    }

    [Test]
    public void Images_and_grids_come_back_as_png()
    {
        using (var writer = new TensorBoardWriter(Folder))
        {
            writer.AddImage("rgb", [1, 2, 3, 4, 5, 6], width: 1, height: 2, channels: 3, step: 4);
            writer.AddImages("grid", [0, 1, 1, 0], [2, 1, 2], step: 5, new ImageGrid { Padding = 0, Columns = 2 });
        }

        List<(long Step, EventMessage Value)> values = EventReader.Values(Folder);
        EventMessage[] images = [.. values.Select(value => value.Value["image"])];
        PngReader[] pngs = [.. images.Select(image => PngReader.Read(image.Get<byte[]>("encoded_image_string")))];
        Assert.Multiple(() =>
        {
            Assert.That(values.Select(value => value.Step), Is.EqualTo(new[] { 4, 5 }));
            Assert.That(pngs[0].Pixels, Is.EqualTo(new byte[] { 1, 2, 3, 4, 5, 6 }));
            Assert.That(pngs[1].Pixels, Is.EqualTo(new byte[] { 0, 255, 255, 0 }));
            Assert.That(
                images.Select(image => (image.Get<long>("height"), image.Get<long>("width"), image.Get<long>("colorspace"))),
                Is.EqualTo(new[] { (2, 1, 3), (1, 4, 1) }));
        });
    }

    [Test]
    public void A_png_file_goes_in_as_it_is([Values(1, 2, 3, 4)] int channels)
    {
        byte[] file = PngWriter.Encode(new byte[5 * 2 * channels], width: 5, height: 2, channels);
        using (var writer = new TensorBoardWriter(Folder))
        {
            writer.AddPng("picture", file, step: 3);
            Assert.That(() => writer.AddPng("text", "<svg></svg> is none, however long it is"u8, 3), Throws.ArgumentException);
            Assert.That(() => writer.AddPng("short", file.AsSpan(0, 20), 3), Throws.ArgumentException);
        }

        EventMessage image = EventReader.Values(Folder).Single().Value["image"];
        Assert.That(
            (image.Get<long>("height"), image.Get<long>("width"), image.Get<long>("colorspace")), Is.EqualTo((2, 5, channels)));
        Assert.That(image.Get<byte[]>("encoded_image_string"), Is.EqualTo(file));
    }

    [Test]
    public void A_text_is_a_tensor_of_one_string_for_the_plugin()
    {
        using (var writer = new TensorBoardWriter(Folder))
        {
            writer.AddText("notes", "# first\n| a | b |", 7);
            writer.AddText("empty", "", 8);
        }

        EventMessage[] values = [.. EventReader.Values(Folder).Select(value => value.Value)];
        Assert.Multiple(() =>
        {
            Assert.That(values[0]["tensor"].All<string>("string_val"), Is.EqualTo(new[] { "# first\n| a | b |" }));
            Assert.That(values[1]["tensor"].All<string>("string_val"), Is.EqualTo(new[] { "" }));
            foreach (EventMessage value in values)
            {
                Assert.That(value["metadata"]["plugin_data"].Get<string>("plugin_name"), Is.EqualTo("text"));
                Assert.That(value["tensor"].Get<long>("dtype"), Is.EqualTo(7));
                Assert.That(value["tensor"]["tensor_shape"].Names, Is.Empty);
            }
        });
    }

    [Test]
    public void Hyperparameters_have_their_types_and_a_run_its_end()
    {
        using (var writer = new TensorBoardWriter(Folder))
        {
            writer.AddHyperparameters(
                new Dictionary<string, Hyperparameter>
                {
                    ["rate"] = 0.1,
                    ["units"] = 64,
                    ["frozen"] = false,
                    ["optimizer"] = "Adam",
                },
                [new ComparedScalar("epoch/loss"), new ComparedScalar("epoch/loss", "validation")]);
            writer.EndRun(hasSucceeded: false);
        }

        EventMessage[] values = [.. EventReader.Values(Folder).Select(value => value.Value)];
        EventMessage[] contents = [.. values.Select(value => value["metadata"]["plugin_data"]["content"])];
        EventMessage[] infos = contents[0]["experiment"].All<EventMessage>("hparam_infos"),
            metrics = contents[0]["experiment"].All<EventMessage>("metric_infos"),
            pairs = contents[1]["session_start_info"].All<EventMessage>("hparams");
        Assert.Multiple(() =>
        {
            Assert.That(
                values.Select(value => value.Get<string>("tag")),
                Is.EqualTo(new[] { "_hparams_/experiment", "_hparams_/session_start_info", "_hparams_/session_end_info" }));
            Assert.That(
                values.Select(value => value["metadata"]["plugin_data"].Get<string>("plugin_name")), Is.All.EqualTo("hparams"));
            Assert.That(
                infos.Select(info => (info.Get<string>("name"), info.Get<long>("type"))),
                Is.EqualTo(new[] { ("rate", 3L), ("units", 3), ("frozen", 2), ("optimizer", 1) }));
            Assert.That(
                metrics.Select(metric => metric["name"].Has("group") ? metric["name"].Get<string>("group") : ""),
                Is.EqualTo(new[] { "", "validation" }));
            Assert.That(metrics.Select(metric => metric["name"].Get<string>("tag")), Is.All.EqualTo("epoch/loss"));
            Assert.That(
                pairs.Select(pair => pair.Get<string>("key")), Is.EqualTo(new[] { "rate", "units", "frozen", "optimizer" }));
            Assert.That(pairs[0]["value"].Get<double>("number_value"), Is.EqualTo(0.1));
            Assert.That(pairs[1]["value"].Get<double>("number_value"), Is.EqualTo(64));
            Assert.That(pairs[2]["value"].Get<long>("bool_value"), Is.Zero);
            Assert.That(pairs[3]["value"].Get<string>("string_value"), Is.EqualTo("Adam"));
            Assert.That(contents[2]["session_end_info"].Get<long>("status"), Is.EqualTo(2));
            Assert.That(values.Select(value => value["tensor"].Get<long>("dtype")), Is.All.EqualTo(1));
        });
    }

    [Test]
    public void A_run_that_is_continued_says_from_which_step()
    {
        using (var writer = new TensorBoardWriter(Folder, purgeStep: 12))
        {
            writer.AddScalar("x", 1, 12);
        }

        List<EventMessage> events = EventReader.ReadFile(Directory.GetFiles(Folder).Single());
        Assert.That((events[1].Get<long>("step"), events[1]["session_log"].Get<long>("status")), Is.EqualTo((12, 1)));
    }

    [Test]
    public void A_graph_has_a_node_for_each_operator_in_the_scopes_of_layers()
    {
        var shared = new Dense(4) { Name = "shared" };
        var model = new Sequential(
            new Conv2D(2, 3, Activation.ReLU) { Name = "conv 1" }, new Flatten(), new Dense(4), shared,
            new Sequential(shared, new Dense(3)) { Name = "body" });
        model.Build([5, 5, 1]);
        using (var writer = new TensorBoardWriter(Folder))
        {
            writer.AddGraph(model);
        }

        EventMessage graph = EventReader.ReadFile(Directory.GetFiles(Folder).Single())[1]["graph_def"];
        EventMessage[] nodes = graph.All<EventMessage>("node");
        string[] names = [.. nodes.Select(node => node.Get<string>("name"))];
        var seen = new HashSet<string>();
        foreach (EventMessage node in nodes)
        {
            Assert.That(seen.IsSupersetOf(node.All<string>("input")), $"inputs of {node.Get<string>("name")} stand before it");
            Assert.That(seen.Add(node.Get<string>("name")), $"{node.Get<string>("name")} is there once");
            Assert.That(node.Get<string>("name"), Does.Match("^[A-Za-z0-9.][A-Za-z0-9_.\\-/]*$"));
        }

        EventMessage convolution = nodes.Single(node => node.Get<string>("op") == "Conv2D");
        EventMessage input = nodes[0], output = nodes[^1];
        Assert.Multiple(() =>
        {
            Assert.That(graph["versions"].Get<long>("producer"), Is.EqualTo(22));
            Assert.That(
                names, Is.SupersetOf(new[]
                {
                    "input", "conv_1/weight", "conv_1/bias", "conv_1/Conv2D", "shared/Dense", "body/shared/Dense", "body/1/Dense",
                    "output",
                }));
            Assert.That(convolution.All<string>("input"), Is.EqualTo(new[] { "input", "conv_1/weight", "conv_1/bias" }));
            Assert.That(Shape(convolution), Is.EqualTo(new[] { -1, 3, 3, 2 }));
            Assert.That((input.Get<string>("op"), output.Get<string>("op")), Is.EqualTo(("Placeholder", "Identity")));
            Assert.That(Attribute(input, "dtype").Get<long>("type"), Is.EqualTo(1));
            Assert.That(Sizes(Attribute(input, "shape")["shape"]), Is.EqualTo(new[] { -1, 5, 5, 1 }));
            Assert.That(Shape(output), Is.EqualTo(new[] { -1, 3 }));

            // Both calls of the shared layer read its parameters, which are there once.
            Assert.That(names.Count(name => name.EndsWith("shared/weight", StringComparison.Ordinal)), Is.EqualTo(1));
        });
        static EventMessage Attribute(EventMessage node, string key) =>
            node.All<EventMessage>("attr").Single(pair => pair.Get<string>("key") == key)["value"];
        static long[] Sizes(EventMessage shape) => [.. shape.All<EventMessage>("dim").Select(dim => dim.Get<long>("size"))];
        static long[] Shape(EventMessage node) =>
            Sizes(Attribute(node, "_output_shapes")["list"].All<EventMessage>("shape").Single());
    }

    [Test]
    public void Every_beginning_of_a_file_is_whole_records_and_a_piece()
    {
        using (var writer = new TensorBoardWriter(Folder))
        {
            writer.AddScalar("x", 1, 1);
            writer.AddHistogram("h", [1, 2, 3], 1);
            writer.AddText("t", new string('x', 200), 1);
        }

        byte[] file = File.ReadAllBytes(Directory.GetFiles(Folder).Single());
        int before = 0;
        for (int length = 0; length <= file.Length; length++)
        {
            int count = EventReader.Read(file.AsSpan(0, length)).Count;
            Assert.That(count, Is.EqualTo(before).Or.EqualTo(before + 1));
            before = count;
        }

        Assert.That(before, Is.EqualTo(4));
    }

    [Test]
    public void A_reader_beside_the_writer_sees_what_was_flushed()
    {
        using var writer = new TensorBoardWriter(Folder);
        for (int i = 1; i <= 20; i++)
        {
            writer.AddScalar("x", i, i);
            writer.Flush();
            Assert.That(EventReader.Values(Folder), Has.Count.EqualTo(i));
        }
    }

    [Test]
    public void Threads_may_add_at_once_and_each_ones_order_stays()
    {
        const int Threads = 4, Each = 2000;
        using (var writer = new TensorBoardWriter(Folder))
        {
            Parallel.For(0, Threads, thread =>
            {
                for (int i = 0; i < Each; i++)
                {
                    writer.AddScalar($"{thread}", i, i);
                }
            });
        }

        foreach (var group in EventReader.Values(Folder).GroupBy(value => value.Value.Get<string>("tag")))
        {
            Assert.That(group.Select(value => value.Step), Is.EqualTo(Enumerable.Range(0, Each)), group.Key);
        }

        Assert.That(EventReader.Values(Folder), Has.Count.EqualTo(Threads * Each));
    }

    [Test]
    public void What_cannot_be_written_is_refused_at_once()
    {
        using var writer = new TensorBoardWriter(Folder);
        Assert.Multiple(() =>
        {
            Assert.That(() => writer.AddScalar("", 1, 1), Throws.ArgumentException);
            Assert.That(() => writer.AddHistogram("", [1], 1), Throws.ArgumentException);
            Assert.That(() => writer.AddText("t", null!, 1), Throws.ArgumentNullException);
            Assert.That(() => writer.AddImage("i", [1, 2], 1, 1, 1, 1), Throws.ArgumentException);
            Assert.That(() => writer.AddImages("i", [1, 2], [1, 1], 1), Throws.TypeOf<ShapeException>());
            Assert.That(() => writer.AddHyperparameters(new Dictionary<string, Hyperparameter>()), Throws.ArgumentException);
            Assert.That(
                () => writer.AddHyperparameters(new Dictionary<string, Hyperparameter> { ["x"] = default }),
                Throws.ArgumentException.With.Message.Contains("got 'x' with nothing"));
            Assert.That(() => writer.AddGraph(new Dense(3)), Throws.InvalidOperationException);
        });
    }

    [Test]
    public void A_disposed_writer_takes_nothing_more()
    {
        var writer = new TensorBoardWriter(Folder);
        writer.Dispose();
        writer.Dispose();
        Assert.That(() => writer.AddScalar("x", 1, 1), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(writer.Flush, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_folder_that_cannot_be_made_is_named()
    {
        string file = Path.Combine(Folder, "file");
        File.WriteAllText(file, "");
        Assert.That(
            () => new TensorBoardWriter(Path.Combine(file, "run")),
            Throws.TypeOf<IOException>().With.Message.Contains(Path.Combine(file, "run")));
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_250);
    }
}
