using FastNN.Hosting.Protocol;
using FastNN.Hosting.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace FastNN.Hosting.Tests.Rpc;

/// <summary>Messages damaged at random, by a seed: each gets its status, none brings anything down, and nothing leaks.</summary>
public sealed class InferMutationTests
{
    private readonly EchoCatalog _catalog = new(Messages.Models());

    [Test]
    public void Three_thousand_damaged_messages_get_a_status_each() => Decode(3000, seed: 1);

    [Test]
    [Explicit("The same with more messages.")]
    public void Ten_thousand_damaged_messages_get_a_status_each() => Decode(10_000, seed: 2);

    [Test]
    public async Task Two_hundred_damaged_messages_get_a_status_each_over_the_network()
    {
        await using GrpcServer server = await GrpcServer.StartAsync(_catalog);
        var random = new Random(3);
        var method = new Method<byte[], byte[]>(
            MethodType.Unary, "inference.GRPCInferenceService", "ModelInfer", Marshallers.Create(bytes => bytes, bytes => bytes),
            Marshallers.Create(bytes => bytes, bytes => bytes));
        var seen = new HashSet<StatusCode>();
        for (int i = 0; i < 200; i++)
        {
            try
            {
                // With a deadline gRPC's own handler reads them, without one the short way does.
                var options = new CallOptions(deadline: i % 2 == 0 ? DateTime.UtcNow.AddSeconds(10) : null);
                using AsyncUnaryCall<byte[]> call = server.Calls.AsyncUnaryCall(method, null, options, Damaged(random));
                await call.ResponseAsync.WaitAsync(TimeSpan.FromSeconds(10));
                seen.Add(StatusCode.OK);
            }
            catch (RpcException failure)
            {
                seen.Add(failure.StatusCode);
            }
        }

        Assert.Multiple(() =>
        {
            Assert.That(seen, Is.SubsetOf(
                new[] { StatusCode.OK, StatusCode.InvalidArgument, StatusCode.NotFound, StatusCode.ResourceExhausted }));
            Assert.That(seen, Does.Contain(StatusCode.InvalidArgument));
            Assert.That(_catalog.Live, Is.Zero);
        });
    }

    private void Decode(int count, int seed)
    {
        var random = new Random(seed);
        var codec = new InferCodec(_catalog, new GrpcServingOptions { MaxTensorBytes = 1 << 16 }, TimeProvider.System);
        var outgoing = new Outgoing();
        int answered = 0;
        for (int i = 0; i < count; i++)
        {
            byte[] message = Damaged(random);
            InferCall call = codec.Request.ContextualDeserializer(
                new Incoming { Message = Messages.Segments(message, random.Next(1, 2 * message.Length + 2)) });
            Exception? failure = call.Failure;
            Assert.That(
                failure is null or InferenceException or RequestTooLargeException, $"message {i} of seed {seed}: {failure}");
            if (failure is null)
            {
                outgoing.Reset();
                codec.Response.ContextualSerializer(call, outgoing);
                _ = ModelInferResponse.Parser.ParseFrom(outgoing.Message.ToArray());
                answered++;
            }

            call.Release();
        }

        Assert.Multiple(() =>
        {
            Assert.That(_catalog.Live, Is.Zero);
            Assert.That(answered, Is.InRange(1, count - 1), "some messages stay whole and some do not");
        });
    }

    private static byte[] Damaged(Random random)
    {
        ModelInferRequest request = Messages.Echo(random.Next(0, 4));
        if (random.Next(2) == 0)
        {
            request.RawInputContents.Clear();
            request.Inputs[0].Contents =
                new InferTensorContents { Fp32Contents = { Enumerable.Repeat(1.5f, (int)request.Inputs[0].Shape[0] * 3) } };
        }

        if (random.Next(2) == 0)
        {
            request.Parameters.Add("priority", new InferParameter { Int64Param = 2 });
            request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor
            {
                Name = "x_out",
                Parameters = { { "classification", new InferParameter { Int64Param = 2 } } },
            });
        }

        var bytes = request.ToByteArray().ToList();
        for (int changes = random.Next(1, 5); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.RemoveRange(at, random.Next(bytes.Count - at + 1)); break;
                case 3: bytes.Insert(at, (byte)random.Next(256)); break;
                case 4: bytes.InsertRange(at, bytes.Slice(0, random.Next(bytes.Count))); break;
                default: bytes.InsertRange(at, Enumerable.Repeat((byte)0xFF, random.Next(1, 12))); break;
            }
        }

        return [.. bytes];
    }
}
