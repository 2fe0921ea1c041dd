using FastNN.Data;
using FsCheck;
using FsCheck.Fluent;

namespace FastNN.Tests.Data;

public sealed class DataLoaderTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    [Test]
    public void Every_example_comes_once_per_epoch() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(100),
        Prop.ForAll((PositiveInt count, PositiveInt size, bool shuffle) =>
        {
            using var loader = new DataLoader(DatasetTests.Numbers(count.Get), size.Get, shuffle, seed: 3);
            int[] first = Epoch(loader, 1);
            int[] second = Epoch(loader, 2);
            Assert.That(first, Is.EquivalentTo(Enumerable.Range(0, count.Get)));
            Assert.That(second, Is.EquivalentTo(first));
            if (!shuffle)
                Assert.That(second, Is.Ordered);
        }));

    [Test]
    public void The_order_is_a_function_of_seed_and_epoch()
    {
        using var one = new DataLoader(DatasetTests.Numbers(101), 10, seed: 1);
        using var same = new DataLoader(DatasetTests.Numbers(101), 7, seed: 1);
        using var other = new DataLoader(DatasetTests.Numbers(101), 10, seed: 2);
        int[] fifth = Epoch(same, 6);
        Assert.That(Epoch(one, 6), Is.EqualTo(fifth));
        Assert.That(Epoch(one, 7), Is.Not.EqualTo(fifth));
        Assert.That(Epoch(one, 6), Is.EqualTo(fifth));
        Assert.That(Epoch(other, 6), Is.Not.EqualTo(fifth));
    }

    [Test]
    public void An_epoch_resumes_at_any_batch([Values(0, 1, 2, 5, 10, 11)] int batch)
    {
        using var loader = new DataLoader(DatasetTests.Numbers(101), 10, seed: 1);
        int[] whole = Epoch(loader, 4);
        Assert.That(Epoch(loader, 4, batch), Is.EqualTo(whole[Math.Min(101, batch * 10)..]));
    }

    [Test]
    public void Peeking_shows_the_next_batch_and_keeps_the_last()
    {
        using var loader = new DataLoader(DatasetTests.Numbers(10), 4, shuffle: false);
        Assert.That(loader.TryPeek(out _), Is.False, "no epoch was started");
        loader.StartEpoch(1);
        Assert.That(loader.TryNext(out Batch first));
        int[] examples = first.Examples.ToArray();
        float[] features = first.Features.ToArray();
        Assert.That(SpinUntilPeeked(loader, out int[] peeked), "it is prepared in time");
        Assert.That(first.Examples.ToArray(), Is.EqualTo(examples));
        Assert.That(first.Features.ToArray(), Is.EqualTo(features), "the batch before stays valid");
        Assert.That(loader.TryNext(out Batch next));
        Assert.That((next.Index, next.Examples.ToArray()), Is.EqualTo((1, peeked)), "peeking did not advance");
        Assert.That(loader.TryNext(out next));
        Assert.That(loader.TryPeek(out _), Is.False, "the epoch is over");
    }

    [Test]
    public void Peeking_does_not_wait()
    {
        using var entered = new SemaphoreSlim(0);
        using var release = new ManualResetEventSlim();
        var transform = new Hook((in TransformContext context) =>
        {
            if (context.Batch == 1)
            {
                entered.Release();
                release.Wait(Long);
            }
        });
        using var loader = new DataLoader(DatasetTests.Numbers(10), 4, shuffle: false, transform: transform);
        loader.StartEpoch(1);
        Assert.That(loader.TryNext(out _) && entered.Wait(Long), Is.True);
        Assert.That(loader.TryPeek(out Batch none), Is.False, "the second batch is being prepared");
        Assert.That(none.Count, Is.Zero);
        Assert.That(release.IsSet, Is.False);
        release.Set();
        Assert.That(SpinUntilPeeked(loader, out int[] peeked), Is.True);
        Assert.That(loader.TryNext(out Batch batch), Is.True);
        Assert.That((batch.Index, batch.Examples.ToArray()), Is.EqualTo((1, peeked)));
    }

    [Test]
    public void Peeking_hides_a_batch_whose_preparation_failed()
    {
        var transform = new Hook((in TransformContext context) =>
        {
            if (context.Batch == 1 && context.Epoch == 1)
                throw new NotSupportedException("second batch");
        });
        using var loader = new DataLoader(DatasetTests.Numbers(10), 4, transform: transform);
        loader.StartEpoch(1);
        Assert.That(loader.TryNext(out _), Is.True);
        Assert.That(() => loader.TryNext(out _), Throws.TypeOf<NotSupportedException>());
        Assert.That(loader.TryPeek(out _), Is.False, "it is ready, but it holds the failure");
        Assert.That(() => loader.TryNext(out _), Throws.TypeOf<NotSupportedException>(), "peeking did not take the failure away");
        loader.StartEpoch(2);
        Assert.That(SpinUntilPeeked(loader, out int[] peeked), Is.True);
        Assert.That(loader.TryNext(out Batch batch), Is.True);
        Assert.That(batch.Examples.ToArray(), Is.EqualTo(peeked), "the first of another epoch");
        loader.Dispose();
        Assert.That(loader.TryPeek(out _), Is.False, "disposed");
    }

    [Test]
    public void The_last_batch_is_kept_or_dropped()
    {
        using var kept = new DataLoader(DatasetTests.Numbers(10), 4);
        using var dropped = new DataLoader(DatasetTests.Numbers(10), 4, dropLast: true);
        using var even = new DataLoader(DatasetTests.Numbers(8), 4);
        Assert.That((kept.BatchesPerEpoch, dropped.BatchesPerEpoch, even.BatchesPerEpoch), Is.EqualTo((3, 2, 2)));
        Assert.That(Counts(kept), Is.EqualTo(new[] { 4, 4, 2 }));
        Assert.That(Counts(dropped), Is.EqualTo(new[] { 4, 4 }));
        Assert.That(() => new DataLoader(DatasetTests.Numbers(3), 4, dropLast: true), Throws.ArgumentException);
    }

    [Test]
    public void A_batch_holds_features_and_targets_of_its_examples()
    {
        float[] features = [.. Enumerable.Range(0, 21).Select(i => i * 0.5f)];
        Dataset labels = Dataset.FromFloats(features, [3], [0, 1, 2, 3, 4, 5, 6], 7);
        foreach (Dataset data in (Dataset[])[labels, labels.OneHot(), Dataset.FromFloats(features, [3], features[..14], [2])])
        {
            using var loader = new DataLoader(data, 3, seed: 4);
            loader.StartEpoch(1);
            while (loader.TryNext(out Batch batch))
            {
                Assert.That(batch.Features.Length, Is.EqualTo(batch.Count * 3));
                Assert.That(batch.Labels.Length, Is.EqualTo(data.HasLabels ? batch.Count : 0));
                Assert.That(batch.Targets.Length, Is.EqualTo(batch.Count * data.TargetSize));
                for (int i = 0; i < batch.Count; i++)
                {
                    int example = batch.Examples[i];
                    Assert.That(batch.Features.Slice(3 * i, 3).SequenceEqual(features.AsSpan(3 * example, 3)), Is.True);
                    if (data.HasLabels)
                    {
                        Assert.That(batch.Labels[i], Is.EqualTo(example));
                        continue;
                    }

                    var target = new float[data.TargetSize];
                    data.CopyTarget(example, target);
                    Assert.That(batch.Targets.Slice(i * target.Length, target.Length).SequenceEqual(target), Is.True);
                }
            }
        }
    }

    [Test]
    [NonParallelizable]
    public void Nothing_is_allocated_after_the_first_epoch()
    {
        Dataset data = Dataset.FromBytes(new byte[784 * 1000], [28, 28, 1], new int[1000], ["a"]).Rescale(2, -1);
        using var loader = new DataLoader(data, 32, seed: 1);
        Drain(loader, 1);
        Drain(loader, 2);

        // The worker's bytes count as well, so all threads are watched. Others may run beside: the least of several counts.
        long least = long.MaxValue;
        for (int epoch = 2; epoch < 12; epoch++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            long ownBefore = GC.GetAllocatedBytesForCurrentThread();
            Drain(loader, epoch);
            long own = GC.GetAllocatedBytesForCurrentThread() - ownBefore;
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
            Assert.That(own, Is.Zero);
        }

        // Reading the counter costs a few bytes by itself; an allocation per batch would be a thousand.
        Assert.That(least, Is.LessThan(200));
    }

    [Test]
    public void The_next_two_batches_are_prepared_while_the_caller_works_on_the_last()
    {
        using var prepared = new SemaphoreSlim(0);
        int count = 0;
        var transform = new Hook((in TransformContext _) =>
        {
            Interlocked.Increment(ref count);
            prepared.Release();
        });
        using var loader = new DataLoader(DatasetTests.Numbers(10), 1, transform: transform);
        loader.StartEpoch(1);
        Assert.That(loader.TryNext(out _), Is.True);
        for (int i = 0; i < 3; i++)
            Assert.That(prepared.Wait(Long), Is.True, $"batch {i} is prepared before it is asked for");

        // And no fourth: its buffer is the one that the caller still reads.
        Assert.That(prepared.Wait(TimeSpan.FromMilliseconds(50)), Is.False);
        Assert.That(Volatile.Read(ref count), Is.EqualTo(3));
    }

    [Test]
    public void A_batch_stays_whole_until_the_next_call()
    {
        using var loader = new DataLoader(DatasetTests.Numbers(1000), 10, seed: 9);
        for (int epoch = 1; epoch <= 20; epoch++)
        {
            loader.StartEpoch(epoch);
            while (loader.TryNext(out Batch batch))
            {
                Thread.SpinWait(200);
                for (int i = 0; i < batch.Count; i++)
                    Assert.That(batch.Features[i], Is.EqualTo(batch.Labels[i]));
            }
        }
    }

    [Test]
    public void A_new_epoch_may_start_in_the_midst_of_another()
    {
        using var loader = new DataLoader(DatasetTests.Numbers(100), 3, seed: 1);
        int[] whole = Epoch(loader, 3);
        for (int stop = 0; stop < 30; stop++)
        {
            loader.StartEpoch(1 + (stop % 4));
            for (int i = 0; i < stop; i++)
                loader.TryNext(out _);
            Assert.That(Epoch(loader, 3), Is.EqualTo(whole));
        }
    }

    [Test]
    public void A_transform_changes_the_features_by_seed_epoch_and_batch()
    {
        var transform = new Hook((in TransformContext context) =>
        {
            foreach (ref float value in context.Features)
                value += (1000 * (float)context.Seed) + (100 * context.Epoch) + (10 * context.Batch);
        });
        using var loader = new DataLoader(DatasetTests.Numbers(4), 2, shuffle: false, seed: 7, transform: transform);
        loader.StartEpoch(4);
        loader.TryNext(out _);
        loader.TryNext(out Batch batch);
        Assert.That(batch.Features.ToArray(), Is.EqualTo(new float[] { 7412, 7413 }));
    }

    [Test]
    public void An_exception_of_the_worker_reaches_the_caller_in_its_place()
    {
        var transform = new Hook((in TransformContext context) =>
        {
            if (context.Batch == 2 && context.Epoch == 1)
                throw new NotSupportedException("third batch");
        });
        using var loader = new DataLoader(DatasetTests.Numbers(10), 2, transform: transform);
        loader.StartEpoch(1);
        Assert.That(loader.TryNext(out _), Is.True);
        Assert.That(loader.TryNext(out _), Is.True);
        Assert.That(() => loader.TryNext(out _), Throws.TypeOf<NotSupportedException>().With.Message.EqualTo("third batch"));
        Assert.That(() => loader.TryNext(out _), Throws.TypeOf<NotSupportedException>());
        Assert.That(Epoch(loader, 2), Has.Length.EqualTo(10));
    }

    [Test]
    public void Cancellation_ends_the_epoch_also_while_the_caller_waits()
    {
        using var entered = new SemaphoreSlim(0);
        using var release = new ManualResetEventSlim();
        var transform = new Hook((in TransformContext _) =>
        {
            entered.Release();
            release.Wait(Long);
        });
        using var loader = new DataLoader(DatasetTests.Numbers(10), 2, transform: transform);
        using var source = new CancellationTokenSource();
        loader.StartEpoch(1, 0, source.Token);
        entered.Wait(Long);
        Task waiting = Task.Run(() => loader.TryNext(out _));
        source.CancelAfter(20);
        Assert.That(() => waiting.Wait(Long), Throws.InnerException.InstanceOf<OperationCanceledException>());
        release.Set();

        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        loader.StartEpoch(1, 0, cancelled.Token);
        Assert.That(() => loader.TryNext(out _), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Epoch(loader, 1), Has.Length.EqualTo(10));
    }

    [Test]
    public void Disposing_ends_the_worker_and_a_waiting_caller()
    {
        using var entered = new SemaphoreSlim(0);
        using var release = new ManualResetEventSlim();
        Thread? worker = null;
        var transform = new Hook((in TransformContext _) =>
        {
            worker = Thread.CurrentThread;
            entered.Release();
            release.Wait(Long);
        });
        var loader = new DataLoader(DatasetTests.Numbers(10), 2, transform: transform);
        loader.StartEpoch(1);
        entered.Wait(Long);
        Task waiting = Task.Run(() => loader.TryNext(out _));
        Task disposing = Task.Run(loader.Dispose);
        Assert.That(() => waiting.Wait(Long), Throws.InnerException.TypeOf<ObjectDisposedException>());
        release.Set();
        Assert.That(disposing.Wait(Long), Is.True);
        Assert.That(worker!.IsAlive, Is.False);
        loader.Dispose();
        Assert.That(() => loader.TryNext(out _), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => loader.StartEpoch(1), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Disposing_leaves_a_transform_that_hangs_alone_and_tells_it_to_stop()
    {
        using var release = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        using var ended = new ManualResetEventSlim();
        var loader = new DataLoader(DatasetTests.Numbers(8), 2, transform: new Hanging(entered, release, ended));
        loader.StartEpoch(1);
        Assert.That(entered.Wait(Long));
        Task disposing = Task.Run(loader.Dispose);
        Assert.That(disposing.Wait(TimeSpan.FromSeconds(10)), "the wait is bounded");
        release.Set();
        Assert.That(ended.Wait(Long), "it was told to stop");
    }

    [Test]
    public void A_transform_that_looks_at_its_token_ends_at_once()
    {
        using var entered = new ManualResetEventSlim();
        var loader = new DataLoader(DatasetTests.Numbers(8), 2, transform: new Obedient(entered));
        loader.StartEpoch(1);
        Assert.That(entered.Wait(Long));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        loader.Dispose();
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(1.5)));
    }

    [Test]
    public void Fit_is_cancelled_while_a_transform_hangs()
    {
        using var release = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        using var ended = new ManualResetEventSlim();
        using var source = new CancellationTokenSource();
        using Device device = Device.Cpu(1);
        using var trainer = new Trainer(new Sequential(new Dense(2)), device, Loss.SparseCrossEntropy, new Adam(), seed: 1);
        var data = Dataset.FromFloats(new float[8], [1], [0, 1, 0, 1, 0, 1, 0, 1], 2);
        Task fit = Task.Run(
            () => trainer.Fit(
                data, batchSize: 2, transform: new Hanging(entered, release, ended), cancellationToken: source.Token));
        Assert.That(entered.Wait(Long));
        source.Cancel();
        Assert.That(Task.WhenAny(fit, Task.Delay(TimeSpan.FromSeconds(10))).Result, Is.SameAs(fit));
        Assert.That(() => fit.GetAwaiter().GetResult(), Throws.InstanceOf<OperationCanceledException>());
        release.Set();
        Assert.That(ended.Wait(Long));
    }

    private sealed class Hanging(ManualResetEventSlim entered, ManualResetEventSlim release, ManualResetEventSlim ended)
        : IBatchTransform
    {
        public void Apply(in TransformContext context)
        {
            entered.Set();
            release.Wait(Long);
            if (context.Stop.IsCancellationRequested)
            {
                ended.Set();
            }
        }
    }

    private sealed class Obedient(ManualResetEventSlim entered) : IBatchTransform
    {
        public void Apply(in TransformContext context)
        {
            entered.Set();
            context.Stop.WaitHandle.WaitOne(Long);
        }
    }

    [Test]
    public void Misuse_is_told_clearly()
    {
        Dataset data = DatasetTests.Numbers(10);
        using var loader = new DataLoader(data, 4);
        Assert.That(() => loader.TryNext(out _), Throws.InvalidOperationException.With.Message.Contains("StartEpoch"));
        Assert.That(() => loader.StartEpoch(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => loader.StartEpoch(1, 4), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => loader.StartEpoch(1, -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new DataLoader(data, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new DataLoader(data, -3), Throws.InstanceOf<ArgumentOutOfRangeException>());
        using var huge = new DataLoader(data, int.MaxValue);
        Assert.That(Epoch(huge, 1), Has.Length.EqualTo(10));
    }

    private static int[] Epoch(DataLoader loader, int epoch, int firstBatch = 0)
    {
        var seen = new List<int>();
        loader.StartEpoch(epoch, firstBatch);
        int index = firstBatch;
        while (loader.TryNext(out Batch batch))
        {
            Assert.That(batch.Index, Is.EqualTo(index++));
            seen.AddRange(batch.Labels);
        }

        Assert.That(loader.TryNext(out _), Is.False);
        return [.. seen];
    }

    private static List<int> Counts(DataLoader loader)
    {
        var counts = new List<int>();
        loader.StartEpoch(1);
        while (loader.TryNext(out Batch batch))
            counts.Add(batch.Count);
        return counts;
    }

    private static void Drain(DataLoader loader, int epoch)
    {
        loader.StartEpoch(epoch);
        while (loader.TryNext(out _))
        {
        }
    }

    private delegate void HookBody(in TransformContext context);

    private sealed class Hook(HookBody body) : IBatchTransform
    {
        public void Apply(in TransformContext context) => body(context);
    }

    private static bool SpinUntilPeeked(DataLoader loader, out int[] examples)
    {
        int[] found = [];
        bool peeked = SpinWait.SpinUntil(
            () =>
            {
                bool ready = loader.TryPeek(out Batch batch);
                found = ready ? batch.Examples.ToArray() : [];
                return ready;
            },
            Long);
        examples = found;
        return peeked;
    }
}
