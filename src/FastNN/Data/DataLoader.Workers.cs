using System.Runtime.ExceptionServices;
using FastNN.Tensors;

namespace FastNN.Data;

/// <summary>
/// The background threads. Each takes the next batch that no other has taken, whole, and fills the slot that the batch has;
/// batches may be done out of order, the caller gets them in order.
/// </summary>
public sealed partial class DataLoader
{
    // The order of the examples and the epoch that it is of; under a gate of its own, as making it may take long.
    private readonly object _orderGate = new();
    private readonly int[] _order;
    private int _orderOf;

    private void Work()
    {
        float[] raw = [];
        while (true)
        {
            int generation, epoch, batch;
            Slot slot;
            lock (_gate)
            {
                while (!_disposed && (_cursor == BatchesPerEpoch || SlotOf(_cursor) is { Ready: true } or { Busy: true }))
                    Monitor.Wait(_gate);
                if (_disposed)
                    return;
                (generation, epoch, batch) = (_generation, _epoch, _cursor);
                slot = SlotOf(batch);
                slot.Busy = true;
                _cursor++;
            }

            ExceptionDispatchInfo? error = null;
            try
            {
                TakeExamples(slot, epoch, batch);
                Fill(slot, epoch, batch, ref raw);
            }
            catch (Exception e)
            {
                error = ExceptionDispatchInfo.Capture(e);
            }

            lock (_gate)
            {
                slot.Busy = false;
                Monitor.PulseAll(_gate);

                // A slot filled for an epoch that was abandoned meanwhile is simply filled again.
                if (generation != _generation)
                    continue;
                slot.Error = error;
                slot.Ready = true;
                if (error is not null)
                    _cursor = BatchesPerEpoch;
            }
        }
    }

    private void TakeExamples(Slot slot, int epoch, int batch)
    {
        int first = batch * BatchSize;
        slot.Count = Math.Min(BatchSize, Data.Count - first);
        lock (_orderGate)
        {
            if (_orderOf != epoch)
            {
                _orderOf = 0;
                MakeOrder(epoch);
                _orderOf = epoch;
            }

            _order.AsSpan(first, slot.Count).CopyTo(slot.Examples);
        }
    }

    private void MakeOrder(int epoch)
    {
        for (int i = 0; i < _order.Length; i++)
            _order[i] = i;
        if (Shuffle)
            Philox.Shuffle(_order, Seed, Philox.Stream(RandomUse.Shuffle, (uint)epoch - 1));
    }

    /// <param name="slot">Knows its examples; takes their features and targets.</param>
    /// <param name="epoch">From 1 on.</param>
    /// <param name="batch">The index of the batch in its epoch.</param>
    /// <param name="raw">Memory of the calling thread for the examples that a transform takes to another shape.</param>
    private void Fill(Slot slot, int epoch, int batch, ref float[] raw)
    {
        ReadOnlySpan<int> examples = slot.Examples.AsSpan(0, slot.Count);
        int size = Data.ExampleSize;
        int targetSize = Data.TargetSize;
        Span<float> output = slot.Features.AsSpan(0, slot.Count * slot.ExampleSize);
        Span<float> features = output;
        if (_exampleShape != new Shape(Data.ExampleShape))
        {
            if (raw.Length < slot.Examples.Length * size)
            {
                raw = GC.AllocateUninitializedArray<float>(slot.Examples.Length * size);
            }

            features = raw.AsSpan(0, slot.Count * size);
        }

        for (int i = 0; i < examples.Length; i++)
        {
            int label = Data.CopyExample(
                examples[i], features.Slice(i * size, size), slot.Targets.AsSpan(i * targetSize, targetSize));
            if (Data.HasLabels)
            {
                slot.Labels[i] = label;
            }
        }

        _transform?.Apply(
            new TransformContext(features, Data.ExampleShape, examples, Seed, epoch, batch, _stop.Token)
            {
                Output = output,
                Targets = slot.Targets.AsSpan(0, slot.Count * targetSize),
            });
    }

    /// <summary>A buffer. Pinned, so that a device may copy from it without asking the garbage collector.</summary>
    private sealed class Slot(Dataset data, int rows, int exampleSize)
    {
        public readonly int ExampleSize = exampleSize;
        public readonly float[] Features = GC.AllocateUninitializedArray<float>(rows * exampleSize, pinned: true);
        public readonly float[] Targets = GC.AllocateUninitializedArray<float>(rows * data.TargetSize, pinned: true);
        public readonly int[] Labels = GC.AllocateUninitializedArray<int>(data.HasLabels ? rows : 0, pinned: true);
        public readonly int[] Examples = new int[rows];
        public int Count;
        public bool Ready;
        public bool HandedOut;
        public ExceptionDispatchInfo? Error;

        /// <summary>A thread is filling it, perhaps for an epoch that was abandoned; nobody else may.</summary>
        public bool Busy;

        public void Empty()
        {
            Ready = HandedOut = false;
            Error = null;
        }

        public Batch View(int index) => new(
            index,
            Examples.AsSpan(0, Count),
            Features.AsSpan(0, Count * ExampleSize),
            Labels.AsSpan(0, data.HasLabels ? Count : 0),
            Targets.AsSpan(0, Count * data.TargetSize));
    }
}
