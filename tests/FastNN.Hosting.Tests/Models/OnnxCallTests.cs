using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using FastNN.Onnx;
using FastNN.Onnx.Model;
using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Models;

/// <summary>ONNX files of other types and shapes than rows of floats.</summary>
public sealed class OnnxCallTests : ServingFixture
{
    [Test]
    public async Task Texts_go_in_and_out_with_their_lengths()
    {
        Write("greet.onnx", ("StringConcat", ["a", "b"], "c"), OnnxElementType.String, ["n", "2"]);
        IModel model = Model(await StartAsync("greet", "greet.onnx"), "greet");
        Assert.That(model.Inputs.Select(input => input.DataType), Is.All.EqualTo(TensorDataType.Bytes));
        using ModelCall call = model.Begin();
        foreach (int rows in new[] { 1, 3 })
        {
            string[] left = [.. Enumerable.Range(0, 2 * rows).Select(i => $"здравствуй {i}")];
            string[] right = [.. Enumerable.Range(0, 2 * rows).Select(i => i % 2 == 0 ? "" : ", мир")];
            Set(call, 0, rows, left);
            Set(call, 1, rows, right);
            await call.RunAsync();
            Assert.That(call.OutputDimensions(0).ToArray(), Is.EqualTo(new[] { rows, 2 }));
            Assert.That(Texts(call.Output(0)), Is.EqualTo(left.Zip(right, (first, second) => first + second)));
        }
    }

    [TestCase(new byte[] { 1, 0, 0, 0, 65, 2, 0, 0, 0, 65 }, "element 1 ends behind the data")]
    [TestCase(new byte[] { 1, 0, 0, 0, 65, 0, 0, 0, 0, 7 }, "1 bytes are left")]
    [TestCase(new byte[] { 1, 0, 0, 0, 255, 0, 0, 0, 0 }, "element 0 is none")]
    [TestCase(new byte[] { 255, 255, 255, 255, 65, 0, 0, 0, 0 }, "element 0 ends behind the data")]
    public async Task Texts_that_are_malformed_are_refused(byte[] bytes, string reason)
    {
        Write("greet.onnx", ("StringConcat", ["a", "b"], "c"), OnnxElementType.String, ["n", "2"]);
        IModel model = Model(await StartAsync("greet", "greet.onnx"), "greet");
        using ModelCall call = model.Begin();
        bytes.CopyTo(call.SetInput(0, [1, 2], bytes.Length));
        Set(call, 1, 1, ["", ""]);
        InferenceException exception = Assert.ThrowsAsync<InferenceException>(async () => await call.RunAsync())!;
        Assert.That(exception.Failure, Is.EqualTo(InferenceFailure.InvalidInput));
        Assert.That(exception.Message, Does.Contain(reason).And.Contain("'a'"));
        Refusal(() => call.SetInput(0, [1, 2], 7), InferenceFailure.InvalidInput);
    }

    [TestCase(OnnxElementType.Float64, TensorDataType.Float64)]
    [TestCase(OnnxElementType.Float16, TensorDataType.Float16)]
    [TestCase(OnnxElementType.Int64, TensorDataType.Int64)]
    [TestCase(OnnxElementType.Int32, TensorDataType.Int32)]
    [TestCase(OnnxElementType.UInt8, TensorDataType.UInt8)]
    [TestCase(OnnxElementType.UInt64, TensorDataType.UInt64)]
    [TestCase(OnnxElementType.BFloat16, TensorDataType.BFloat16)]
    public async Task Numbers_of_every_type_keep_their_bytes(OnnxElementType element, TensorDataType type)
    {
        Write("same.onnx", ("Identity", ["x"], "y"), element, ["n", "3"]);
        IModel model = Model(await StartAsync("same", "same.onnx"), "same");
        Assert.That((model.Inputs[0].DataType, model.Outputs[0].DataType), Is.EqualTo((type, type)));
        using ModelCall call = model.Begin();
        Span<byte> bytes = call.SetInput(0, [2, 3]);
        for (int i = 0; i < bytes.Length; i++)
        {
            // Little-endian 1, 2 and so on as integers, and finite as floats.
            bytes[i] = i % Protocol.TensorDataTypes.Size(type) == 0 ? (byte)(i + 1) : (byte)0;
        }

        byte[] expected = bytes.ToArray();
        await call.RunAsync();
        Assert.That(call.Output(0).ToArray(), Is.EqualTo(expected));
    }

    [Test]
    public async Task Truth_values_are_0_or_1()
    {
        Write("not.onnx", ("Not", ["x"], "y"), OnnxElementType.Bool, ["n"]);
        IModel model = Model(await StartAsync("not", "not.onnx"), "not");
        using ModelCall call = model.Begin();
        new byte[] { 0, 1, 1 }.CopyTo(call.SetInput(0, [3]));
        await call.RunAsync();
        Assert.That(call.Output(0).ToArray(), Is.EqualTo(new byte[] { 1, 0, 0 }));
        call.SetInput(0, [3]).Fill(2);
        Assert.That(
            Assert.ThrowsAsync<InferenceException>(async () => await call.RunAsync())!.Message,
            Does.Contain("0 or 1, got 2 as element 0"));
    }

    [Test]
    public async Task Outputs_whose_shape_follows_from_values_are_given_as_they_come()
    {
        var nonZero = new NodeDef { Operator = "NonZero", Inputs = ["x"], Outputs = ["y"] };
        ModelDef definition = OnnxFiles.Define(nonZero);
        definition.Graph!.Inputs.Add(OnnxFiles.Value("x", OnnxElementType.Float32, ["n"]));
        definition.Graph.Outputs.Add(OnnxFiles.Value("y", OnnxElementType.Int64, ["1", "hits"]));
        OnnxFiles.Save(At("hits.onnx"), definition);
        IHost host = await StartAsync("hits", "hits.onnx");
        IModel model = Model(host, "hits");
        foreach (float[] values in new[] { new float[] { 0, 2, 0, 3 }, [0, 0, 0, 0], [1, 1, 1, 1] })
        {
            using ModelCall call = model.Begin();
            MemoryMarshal.AsBytes(values.AsSpan()).CopyTo(call.SetInput(0, [4]));
            await call.RunAsync();
            long[] hits = MemoryMarshal.Cast<byte, long>(call.Output(0)).ToArray();
            Assert.That(hits, Is.EqualTo(Enumerable.Range(0, 4).Where(i => values[i] != 0)));
            Assert.That(call.OutputDimensions(0).ToArray(), Is.EqualTo(new[] { 1, hits.Length }));
        }
    }

    [Test]
    public async Task A_file_that_the_protocol_cannot_carry_is_refused_with_the_reason()
    {
        ModelDef definition = OnnxFiles.Define(new NodeDef { Operator = "SequenceConstruct", Inputs = ["x"], Outputs = ["y"] });
        definition.Graph!.Inputs.Add(OnnxFiles.Value("x", OnnxElementType.Float32, ["n"]));
        definition.Graph.Outputs.Add(new ValueDef
        {
            Name = "y",
            Type = new TypeDef { SequenceOf = new TypeDef { Element = OnnxElementType.Float32 } },
        });
        OnnxFiles.Save(At("sequence.onnx"), definition);
        IHost host = await StartAsync(
            options => options.RequireModels = false,
            models => models.AddModel("sequence", options => options.FromFile("sequence.onnx")));
        Assert.That(Catalog(host).List().Single().Reason, Does.Contain("output y: sequence of").And.Contain("expected a tensor"));
    }

    private void Write(
        string file, (string Operator, string[] Inputs, string Output) node, OnnxElementType type, string[] dims) =>
        OnnxFiles.Write(At(file), node, type, dims);

    private static void Set(ModelCall call, int input, int rows, string[] texts)
    {
        byte[] bytes =
        [
            .. texts.Select(Encoding.UTF8.GetBytes).SelectMany(text => BitConverter.GetBytes(text.Length).Concat(text)),
        ];
        bytes.CopyTo(call.SetInput(input, [rows, 2], bytes.Length));
    }

    private static string[] Texts(ReadOnlySpan<byte> bytes)
    {
        List<string> texts = [];
        while (!bytes.IsEmpty)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
            texts.Add(Encoding.UTF8.GetString(bytes.Slice(sizeof(int), length)));
            bytes = bytes[(sizeof(int) + length)..];
        }

        return [.. texts];
    }
}
