using FastNN.Formats;

namespace FastNN.Tests.Formats;

/// <summary>How the writer's thread and its callers wait for each other, and what they do when one fails.</summary>
[CancelAfter(60_000)]
public sealed class EventQueueTests
{
    private const int Capacity = 16;

    [Test]
    public void Adding_does_not_wait_for_the_disk_until_the_queue_is_full()
    {
        using var stream = new GatedStream();
        using TensorBoardWriter writer = Writer(stream);

        // From here on the writer's thread is stuck with the file's first record.
        stream.WaitForWriter();
        for (int i = 0; i < Capacity; i++)
        {
            writer.AddScalar("x", i, i);
        }

        Task more = Task.Run(() => writer.AddScalar("last", 0, 0));
        Assert.That(more.Wait(200), Is.False, "a full queue lets nothing in");
        stream.Open();
        more.Wait();
        writer.Flush();
        Assert.That(EventReader.Read(stream.Written), Has.Count.EqualTo(Capacity + 2));
    }

    [Test]
    public void Contents_of_many_bytes_fill_the_queue_too()
    {
        using var stream = new GatedStream();
        using TensorBoardWriter writer = Writer(stream, maxBytes: 1000);
        stream.WaitForWriter();

        // One that is larger than everything fits an empty queue, or it would never be written.
        writer.AddHistogram("large", new float[1000], 0);
        writer.AddScalar("small", 0, 0);
        Task more = Task.Run(() => writer.AddHistogram("another", new float[1], 0));
        Assert.That(more.Wait(200), Is.False);
        stream.Open();
        more.Wait();
    }

    [Test]
    public void A_failure_is_thrown_by_the_next_call_and_not_again_by_Dispose()
    {
        using var stream = new GatedStream { Failure = new IOException("no space left") };
        TensorBoardWriter writer = Writer(stream);
        stream.Open();
        Assert.That(
            () =>
            {
                while (true)
                {
                    writer.AddScalar("x", 1, 1);
                }
            },
            Throws.TypeOf<IOException>().With.Message.EqualTo("TensorBoardWriter: cannot write 'gated': no space left")
                .And.InnerException.EqualTo(stream.Failure));
        Assert.That(() => writer.AddText("x", "y", 1), Throws.TypeOf<IOException>());
        Assert.That(writer.Flush, Throws.TypeOf<IOException>());
        Assert.That(writer.Dispose, Throws.Nothing);
    }

    [Test]
    public void A_failure_that_no_call_told_is_thrown_by_Dispose_once()
    {
        using var stream = new GatedStream { Failure = new IOException("no space left") };
        TensorBoardWriter writer = Writer(stream);
        writer.AddScalar("x", 1, 1);
        stream.Open();
        Assert.That(writer.Dispose, Throws.TypeOf<IOException>().With.Message.Contains("no space left"));
        Assert.That(writer.Dispose, Throws.Nothing);
    }

    [Test]
    public void A_caller_that_waits_for_room_is_told_of_a_failure()
    {
        using var stream = new GatedStream { Failure = new IOException("no space left") };
        TensorBoardWriter writer = Writer(stream);
        stream.WaitForWriter();
        for (int i = 0; i < Capacity; i++)
        {
            writer.AddScalar("x", i, i);
        }

        Task more = Task.Run(() => writer.AddScalar("last", 0, 0));
        stream.Open();
        Assert.That(async () => await more, Throws.TypeOf<IOException>());
        writer.Dispose();
    }

    [Test]
    public void What_stood_before_a_failure_can_be_read()
    {
        using var stream = new GatedStream();
        TensorBoardWriter writer = Writer(stream);
        stream.Open();
        writer.AddScalar("x", 1, 1);
        writer.Flush();
        stream.Failure = new IOException("no space left");
        writer.AddScalar("x", 2, 2);
        Assert.That(writer.Dispose, Throws.TypeOf<IOException>());
        Assert.That(EventReader.Read(stream.Written), Has.Count.EqualTo(2));
    }

    [Test]
    public void Events_are_gathered_for_a_while_and_written_together()
    {
        using var stream = new GatedStream();
        stream.Open();
        using (TensorBoardWriter writer = Writer(stream, delay: TimeSpan.FromSeconds(30)))
        {
            for (int i = 0; i < Capacity / 2; i++)
            {
                writer.AddScalar("x", i, i);
            }
        }

        // One write of the version, and one of all events, as Dispose does not wait.
        Assert.That(stream.Writes, Is.EqualTo(2));
        Assert.That(EventReader.Read(stream.Written), Has.Count.EqualTo(1 + (Capacity / 2)));
    }

    private static TensorBoardWriter Writer(Stream stream, long maxBytes = 1 << 20, TimeSpan delay = default) =>
        new(new EventFile(stream, "gated"), TimeProvider.System, Capacity, maxBytes, delay);

    /// <summary>Writes nothing until it is opened, and then what it is given, or fails.</summary>
    private sealed class GatedStream : MemoryStream
    {
        private readonly ManualResetEventSlim _gate = new();
        private readonly SemaphoreSlim _waiting = new(0);

        public Exception? Failure { get; set; }

        public int Writes { get; private set; }

        public byte[] Written => ToArray();

        public void Open() => _gate.Set();

        public void WaitForWriter() => _waiting.Wait();

        public override void Write(byte[] buffer, int offset, int count)
        {
            _waiting.Release();
            _gate.Wait();
            Writes++;
            if (Failure is not null)
            {
                throw Failure;
            }

            base.Write(buffer, offset, count);
        }

        protected override void Dispose(bool disposing)
        {
            _gate.Set();
            base.Dispose(disposing);
        }
    }
}
