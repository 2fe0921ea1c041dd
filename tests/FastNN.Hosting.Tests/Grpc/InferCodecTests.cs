using System.Text;
using FastNN.Hosting.Protocol;
using FastNN.Hosting.Wire;
using FastNN.Testing;
using Google.Protobuf;

namespace FastNN.Hosting.Tests.Rpc;

/// <summary>The codec of inference against the generated classes, in as many segments as a network may cut a message.</summary>
public sealed class InferCodecTests
{
    private readonly EchoCatalog _catalog = new(Messages.Models());
    private InferCodec _codec = null!;

    [SetUp]
    public void MakeCodec() =>
        _codec = new InferCodec(_catalog, new GrpcServingOptions { MaxTensorBytes = 1 << 16 }, TimeProvider.System);

    [TearDown]
    public void NothingIsAlive() => Assert.That(_catalog.Live, Is.Zero, "calls were not given back");

    [Test]
    public void A_request_with_raw_contents_is_answered_whatever_its_segments([Values(1, 2, 3, 7, 64, 100_000)] int segment)
    {
        ModelInferResponse answer = Answer(Messages.Echo(rows: 5).ToByteArray(), segment);
        Assert.Multiple(() =>
        {
            Assert.That(answer.ModelName, Is.EqualTo("echo"));
            Assert.That(answer.ModelVersion, Is.EqualTo("2"), "the highest version answers");
            Assert.That(answer.Id, Is.EqualTo("request 1"));
            Assert.That(answer.Outputs.Single().Name, Is.EqualTo("x_out"));
            Assert.That(answer.Outputs.Single().Datatype, Is.EqualTo("FP32"));
            Assert.That(answer.Outputs.Single().Shape, Is.EqualTo(new long[] { 5, 3 }));
            Assert.That(answer.RawOutputContents.Single(), Is.EqualTo(Messages.Echo(rows: 5).RawInputContents[0]));
        });
    }

    [Test]
    public void A_version_that_is_named_answers() =>
        Assert.That(Answer(Messages.Echo(version: "1").ToByteArray()).ModelVersion, Is.EqualTo("1"));

    [Test]
    public void Typed_contents_of_every_type_become_the_bytes_that_raw_contents_have([Values(1, 5, 100_000)] int segment)
    {
        Check("Bool", new InferTensorContents { BoolContents = { true, false, true } }, Messages.Raw<byte>(1, 0, 1), segment);
        Check("Int8", new InferTensorContents { IntContents = { -128, 127, -1 } }, Messages.Raw<sbyte>(-128, 127, -1), segment);
        Check("Int16", new InferTensorContents { IntContents = { -32768, 3 } }, Messages.Raw<short>(-32768, 3), segment);
        Check("Int32", new InferTensorContents { IntContents = { int.MinValue, int.MaxValue } },
            Messages.Raw(int.MinValue, int.MaxValue), segment);
        Check("Int64", new InferTensorContents { Int64Contents = { long.MinValue, -2, 300 } },
            Messages.Raw(long.MinValue, -2, 300), segment);
        Check("UInt8", new InferTensorContents { UintContents = { 0, 255 } }, Messages.Raw<byte>(0, 255), segment);
        Check("UInt16", new InferTensorContents { UintContents = { 65535, 1 } }, Messages.Raw<ushort>(65535, 1), segment);
        Check("UInt32", new InferTensorContents { UintContents = { uint.MaxValue } }, Messages.Raw(uint.MaxValue), segment);
        Check("UInt64", new InferTensorContents { Uint64Contents = { ulong.MaxValue } }, Messages.Raw(ulong.MaxValue), segment);
        Check("Float32", new InferTensorContents { Fp32Contents = { 1.5f, float.NaN } }, Messages.Raw(1.5f, float.NaN), segment);
        Check("Float64", new InferTensorContents { Fp64Contents = { -1e300 } }, Messages.Raw(-1e300), segment);
        Check("Bytes", new InferTensorContents { BytesContents = { ByteString.CopyFromUtf8("ab"), ByteString.Empty } },
            ByteString.CopyFrom(2, 0, 0, 0, (byte)'a', (byte)'b', 0, 0, 0, 0), segment);
    }

    [Test]
    public void Elements_that_are_not_packed_are_read_as_well()
    {
        // Field 6 of the contents, one by one with a tag each, as encoders of the second generation of the format write it.
        byte[] contents = [0x35, .. BitConverter.GetBytes(1.5f), 0x35, .. BitConverter.GetBytes(2.5f)];
        ModelInferRequest request = Request("Float32", 2);
        request.Inputs[0].Contents = InferTensorContents.Parser.ParseFrom(contents);
        byte[] head = new ModelInferRequest { ModelName = "Float32" }.ToByteArray();
        byte[] tensor = [.. Messages.Input("x", "FP32", 2).ToByteArray(), 0x2A, (byte)contents.Length, .. contents];
        byte[] message = [.. head, 0x2A, (byte)tensor.Length, .. tensor];
        Assert.Multiple(() =>
        {
            Assert.That(ModelInferRequest.Parser.ParseFrom(message), Is.EqualTo(request));
            Assert.That(Answer(message, 3).RawOutputContents[0], Is.EqualTo(Messages.Raw(1.5f, 2.5f)));
        });
    }

    [Test]
    public void Contents_in_two_pieces_are_one_behind_the_other()
    {
        byte[] tensor =
        [
            .. Messages.Input("x", "FP32", 2).ToByteArray(),
            .. new ModelInferRequest.Types.InferInputTensor
            {
                Contents = new InferTensorContents { Fp32Contents = { 1 } },
            }.ToByteArray(),
            .. new ModelInferRequest.Types.InferInputTensor
            {
                Contents = new InferTensorContents { Fp32Contents = { 2 } },
            }.ToByteArray(),
        ];
        byte[] message = [.. new ModelInferRequest { ModelName = "Float32" }.ToByteArray(), 0x2A, (byte)tensor.Length, .. tensor];
        Assert.That(Answer(message).RawOutputContents[0], Is.EqualTo(Messages.Raw(1f, 2f)));
    }

    [Test]
    public void Fields_in_another_order_and_unknown_ones_are_read()
    {
        ModelInferRequest whole = Messages.Echo();
        byte[] message =
        [
            .. new ModelInferRequest { RawInputContents = { whole.RawInputContents } }.ToByteArray(),
            0xFA, 0x01, 2, 1, 2,                                    // field 31, two bytes
            0xFB, 0x01, 0x08, 0x05, 0x13, 0x14, 0xFC, 0x01,         // a group in field 31, with a group in field 2
            .. new ModelInferRequest { Inputs = { whole.Inputs } }.ToByteArray(),
            0xF5, 0x01, 1, 2, 3, 4,                                 // field 30, four bytes
            .. new ModelInferRequest { ModelName = "echo", Id = "late" }.ToByteArray(),
        ];
        Assert.That(Answer(message, 5).Id, Is.EqualTo("late"));
    }

    [Test]
    public void Outputs_are_those_asked_for_in_that_order()
    {
        ModelInferRequest request = Two();
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "b_out" });
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "a_out" });
        ModelInferResponse answer = Answer(request.ToByteArray());
        Assert.Multiple(() =>
        {
            Assert.That(answer.Outputs.Select(output => output.Name), Is.EqualTo(new[] { "b_out", "a_out" }));
            Assert.That(answer.RawOutputContents, Is.EqualTo(new[] { request.RawInputContents[1], request.RawInputContents[0] }));
        });
    }

    [Test]
    public void Classification_gives_the_highest_values_of_every_row()
    {
        ModelInferRequest request = Messages.Echo(rows: 2);
        request.RawInputContents[0] = Messages.Raw(1f, 5, 4, 0.25f, -1, 0.5f);
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor
        {
            Name = "x_out",
            Parameters = { { "classification", new InferParameter { Int64Param = 2 } } },
        });
        ModelInferResponse answer = Answer(request.ToByteArray());
        Assert.Multiple(() =>
        {
            Assert.That(answer.Outputs[0].Datatype, Is.EqualTo("BYTES"));
            Assert.That(answer.Outputs[0].Shape, Is.EqualTo(new long[] { 2, 2 }));
            Assert.That(Texts(answer.RawOutputContents[0]), Is.EqualTo(new[] { "5:1", "4:2", "0.5:2", "0.25:0" }));
        });
    }

    [TestCase("unknown model", InferenceFailure.NotFound, "nobody")]
    [TestCase("no model", InferenceFailure.InvalidInput, "model_name")]
    [TestCase("unknown version", InferenceFailure.NotFound, "echo")]
    [TestCase("not ready", InferenceFailure.NotReady, "broken")]
    [TestCase("unknown input", InferenceFailure.InvalidInput, "has no input 'y'")]
    [TestCase("input twice", InferenceFailure.InvalidInput, "twice")]
    [TestCase("input missing", InferenceFailure.InvalidInput, "'b' is missing")]
    [TestCase("wrong type", InferenceFailure.InvalidInput, "expected datatype FP32, got INT32")]
    [TestCase("unknown type", InferenceFailure.InvalidInput, "unknown datatype 'FLOAT'")]
    [TestCase("wrong shape", InferenceFailure.InvalidInput, "expected shape [-1, 3], got [1, 4]")]
    [TestCase("negative extent", InferenceFailure.InvalidInput, "got [-1, 3]")]
    [TestCase("too many extents", InferenceFailure.InvalidInput, "at most 32")]
    [TestCase("too few bytes", InferenceFailure.InvalidInput, "expected 12 bytes")]
    [TestCase("no elements", InferenceFailure.InvalidInput, "expected 3 elements")]
    [TestCase(
        "too many elements", InferenceFailure.InvalidInput, "expected 3 elements (shape [1, 3]) in its contents or in raw_input_contents, got 4")]
    [TestCase("both contents", InferenceFailure.InvalidInput, "beside raw_input_contents")]
    [TestCase("raw for some", InferenceFailure.InvalidInput, "each of 2 inputs, got 1")]
    [TestCase("wrong field", InferenceFailure.InvalidInput, "in fp32_contents, got fp64_contents")]
    [TestCase("no field", InferenceFailure.InvalidInput, "the type has no typed contents")]
    [TestCase("out of range", InferenceFailure.InvalidInput, "expected values -128..127")]
    [TestCase("not a truth value", InferenceFailure.InvalidInput, "BOOL")]
    [TestCase("damaged text", InferenceFailure.InvalidInput, "BYTES")]
    [TestCase("unknown output", InferenceFailure.InvalidInput, "has no output 'y'")]
    [TestCase("output twice", InferenceFailure.InvalidInput, "twice")]
    [TestCase("classes of text", InferenceFailure.InvalidInput, "classification")]
    [TestCase("sequence", InferenceFailure.InvalidInput, "sequence_id")]
    [TestCase("shared memory", InferenceFailure.InvalidInput, "shared_memory_region")]
    [TestCase("shared memory of an output", InferenceFailure.InvalidInput, "shared_memory_region")]
    [TestCase("priority as text", InferenceFailure.InvalidInput, "priority")]
    [TestCase("long id", InferenceFailure.InvalidInput, "id of at most")]
    [TestCase("long name", InferenceFailure.NotFound, "there is no model")]
    public void What_is_wrong_is_told(string what, InferenceFailure failure, string message)
    {
        foreach (int segment in new[] { 1, 100_000 })
        {
            InferCall call = Decode(Wrong(what).ToByteArray(), segment);
            var told = call.Failure as InferenceException;
            call.Release();
            Assert.Multiple(() =>
            {
                Assert.That(told?.Failure, Is.EqualTo(failure));
                Assert.That(told?.Message, Does.Contain(message));
            });
        }
    }

    [Test]
    public void A_tensor_above_the_limit_is_refused_before_memory_is_taken()
    {
        ModelInferRequest request = Messages.Echo();
        request.Inputs[0].Shape[0] = 1 << 20;
        InferCall call = Decode(request.ToByteArray());
        Assert.That(call.Failure, Is.InstanceOf<RequestTooLargeException>());
        call.Release();
    }

    [Test]
    public void A_message_that_is_cut_off_anywhere_is_refused()
    {
        byte[] whole = Two().ToByteArray();
        for (int length = 0; length < whole.Length; length++)
        {
            InferCall call = Decode(whole[..length]);
            Assert.That(call.Failure, Is.InstanceOf<InferenceException>(), $"{length} of {whole.Length} bytes");
            call.Release();
        }
    }

    [Test]
    public void A_stream_answers_with_the_failure_and_the_id()
    {
        ModelInferRequest request = Messages.Echo();
        request.ModelName = "nobody";
        InferCall call = Decode(request.ToByteArray());
        var outgoing = new Outgoing();
        _codec.StreamResponse.ContextualSerializer(call, outgoing);
        call.Release();
        ModelStreamInferResponse answer = ModelStreamInferResponse.Parser.ParseFrom(outgoing.Message.ToArray());
        Assert.Multiple(() =>
        {
            Assert.That(outgoing.Completed);
            Assert.That(answer.ErrorMessage, Does.Contain("nobody"));
            Assert.That(answer.InferResponse.Id, Is.EqualTo("request 1"));
            Assert.That(answer.InferResponse.Parameters["triton_final_response"].BoolParam);
        });
    }

    [Test]
    public void A_call_that_no_handler_saw_is_given_back()
    {
        DecodeAndForget(Messages.Echo().ToByteArray());
        for (int i = 0; i < 20 && _catalog.Live != 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.That(_catalog.Live, Is.Zero);
    }

    [Test]
    public void Decoding_and_encoding_allocate_nothing([Values("raw", "typed", "segments", "classes")] string form)
    {
        ModelInferRequest request = Messages.Echo(rows: 32);
        if (form == "typed")
        {
            request.Inputs[0].Contents = new InferTensorContents { Fp32Contents = { Enumerable.Repeat(1.5f, 96) } };
            request.RawInputContents.Clear();
        }
        else if (form == "classes")
        {
            request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor
            {
                Name = "x_out",
                Parameters = { { "classification", new InferParameter { Int64Param = 2 } } },
            });
        }

        request.Parameters.Add("priority", new InferParameter { Int64Param = 2 });
        var incoming = new Incoming { Message = Messages.Segments(request.ToByteArray(), form == "segments" ? 16 : 100_000) };
        var outgoing = new Outgoing();
        Assert.That(AllocatedBytes.Of(() => Pass(incoming, outgoing), times: 100), Is.Zero);
    }

    private static ModelInferRequest Request(string model, int elements) => new()
    {
        ModelName = model,
        Inputs = { Messages.Input("x", TensorDataTypes.Name(Enum.Parse<TensorDataType>(model)), elements) },
    };

    private static ModelInferRequest Two() => new()
    {
        ModelName = "two",
        Inputs = { Messages.Input("a", "FP32", 1), Messages.Input("b", "INT64", 2) },
        RawInputContents = { Messages.Raw(1.5f), Messages.Raw(7L, 8L) },
    };

    private static ModelInferRequest Wrong(string what)
    {
        ModelInferRequest request = what is "input missing" or "raw for some" or "input twice" ? Two() : Messages.Echo();
        ModelInferRequest.Types.InferInputTensor input = request.Inputs[0];
        var output = new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "x_out" };
        var text = new InferParameter { StringParam = "7" };
        switch (what)
        {
            case "unknown model": request.ModelName = "nobody"; break;
            case "no model": request.ModelName = ""; break;
            case "unknown version": request.ModelVersion = "3"; break;
            case "not ready": request.ModelName = "broken"; break;
            case "unknown input": input.Name = "y"; break;
            case "input twice": request.Inputs[1] = input; break;
            case "input missing": request.Inputs.RemoveAt(1); request.RawInputContents.RemoveAt(1); break;
            case "wrong type": input.Datatype = "INT32"; break;
            case "unknown type": input.Datatype = "FLOAT"; break;
            case "wrong shape": input.Shape[1] = 4; break;
            case "negative extent": input.Shape[0] = -1; break;
            case "too many extents": input.Shape.Add(Enumerable.Repeat(1L, 40)); break;
            case "too few bytes": request.RawInputContents[0] = Messages.Raw(1f); break;
            case "no elements": request.RawInputContents.Clear(); break;
            case "too many elements":
                request.RawInputContents.Clear();
                input.Contents = new InferTensorContents { Fp32Contents = { 1, 2, 3, 4 } };
                break;
            case "both contents": input.Contents = new InferTensorContents { Fp32Contents = { 1, 2, 3 } }; break;
            case "raw for some": request.RawInputContents.RemoveAt(1); break;
            case "wrong field":
                request.RawInputContents.Clear();
                input.Contents = new InferTensorContents { Fp64Contents = { 1, 2, 3 } };
                break;
            case "no field":
                request = Request("Float16", 1);
                request.Inputs[0].Contents = new InferTensorContents { Fp32Contents = { 1 } };
                break;
            case "out of range":
                request = Request("Int8", 1);
                request.Inputs[0].Contents = new InferTensorContents { IntContents = { 128 } };
                break;
            case "not a truth value":
                request = Request("Bool", 1);
                request.RawInputContents.Add(Messages.Raw<byte>(2));
                break;
            case "damaged text":
                request = Request("Bytes", 1);
                request.RawInputContents.Add(Messages.Raw<byte>(200, 0, 0, 0, 1));
                break;
            case "unknown output": output.Name = "y"; request.Outputs.Add(output); break;
            case "output twice": request.Outputs.Add(output); request.Outputs.Add(output); break;
            case "classes of text":
                request = Request("Bytes", 0);
                output.Parameters.Add("classification", new InferParameter { Int64Param = 1 });
                request.Outputs.Add(output);
                break;
            case "sequence": request.Parameters.Add("sequence_id", text); break;
            case "shared memory": input.Parameters.Add("shared_memory_region", text); break;
            case "shared memory of an output":
                output.Parameters.Add("shared_memory_region", text);
                request.Outputs.Add(output);
                break;
            case "priority as text": request.Parameters.Add("priority", text); break;
            case "long id": request.Id = new string('i', 2000); break;
            case "long name": request.ModelName = new string('m', 2000); break;
            default: throw new ArgumentOutOfRangeException(nameof(what));
        }

        return request;
    }

    private static string[] Texts(ByteString elements)
    {
        var texts = new List<string>();
        ReadOnlySpan<byte> rest = elements.Span;
        while (!rest.IsEmpty)
        {
            int length = BitConverter.ToInt32(rest);
            texts.Add(Encoding.UTF8.GetString(rest.Slice(4, length)));
            rest = rest[(4 + length)..];
        }

        return [.. texts];
    }

    private void Check(string model, InferTensorContents contents, ByteString expected, int segment)
    {
        int elements = contents.BoolContents.Count + contents.IntContents.Count + contents.Int64Contents.Count +
            contents.UintContents.Count + contents.Uint64Contents.Count + contents.Fp32Contents.Count +
            contents.Fp64Contents.Count + contents.BytesContents.Count;
        ModelInferRequest request = Request(model, elements);
        request.Inputs[0].Contents = contents;
        Assert.That(Answer(request.ToByteArray(), segment).RawOutputContents[0], Is.EqualTo(expected), model);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private void DecodeAndForget(byte[] message) => Assert.That(Decode(message).Call, Is.Not.Null);

    private InferCall Decode(byte[] message, int segment = 100_000) =>
        _codec.Request.ContextualDeserializer(new Incoming { Message = Messages.Segments(message, segment) });

    private ModelInferResponse Answer(byte[] message, int segment = 100_000)
    {
        InferCall call = Decode(message, segment);
        Assert.That(call.Failure, Is.Null);
        var outgoing = new Outgoing();
        _codec.Response.ContextualSerializer(call, outgoing);
        call.Release();
        Assert.That(outgoing.Completed);
        return ModelInferResponse.Parser.ParseFrom(outgoing.Message.ToArray());
    }

    private void Pass(Incoming incoming, Outgoing outgoing)
    {
        outgoing.Reset();
        InferCall call = _codec.Request.ContextualDeserializer(incoming);
        _codec.Response.ContextualSerializer(call, outgoing);
        call.Release();
    }
}
