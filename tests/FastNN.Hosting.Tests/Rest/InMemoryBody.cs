using System.Buffers;
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace FastNN.Hosting.Tests.Rest;

/// <summary>A body that is there at once, in one buffer or in many.</summary>
internal sealed class BodyReader : PipeReader
{
    private ReadOnlySequence<byte> _body;

    public bool IsReleased { get; private set; }

    public void Set(byte[] body, int segmentBytes)
    {
        IsReleased = false;
        if (body.Length <= segmentBytes)
        {
            _body = new ReadOnlySequence<byte>(body);
            return;
        }

        var first = new Segment(body.AsMemory(0, segmentBytes), 0);
        Segment last = first;
        for (int from = segmentBytes; from < body.Length; from += segmentBytes)
        {
            last = last.Append(body.AsMemory(from, Math.Min(segmentBytes, body.Length - from)));
        }

        _body = new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        new(new ReadResult(_body, isCanceled: false, isCompleted: true));

    public override bool TryRead(out ReadResult result)
    {
        result = new ReadResult(_body, isCanceled: false, isCompleted: true);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => IsReleased = consumed.Equals(_body.End);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => AdvanceTo(consumed);

    public override void CancelPendingRead()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}

/// <summary>Keeps what is written.</summary>
internal sealed class BodyWriter : PipeWriter
{
    private byte[] _memory = new byte[1 << 16];
    private int _length;

    public ReadOnlySpan<byte> Written => _memory.AsSpan(0, _length);

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => 0;

    public void Clear() => _length = 0;

    public override void Advance(int bytes) => _length += bytes;

    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_memory.Length - _length < Math.Max(sizeHint, 256))
        {
            Array.Resize(ref _memory, (2 * _memory.Length) + sizeHint);
        }

        return _memory.AsMemory(_length);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
}

/// <summary>Headers whose length is a number, as Kestrel keeps it; ASP.NET's own dictionary makes a string of it.</summary>
internal sealed class PlainHeaders : IHeaderDictionary
{
    private readonly Dictionary<string, StringValues> _values = new(StringComparer.OrdinalIgnoreCase);

    public long? ContentLength { get; set; }

    public ICollection<string> Keys => _values.Keys;

    public ICollection<StringValues> Values => _values.Values;

    public int Count => _values.Count;

    public bool IsReadOnly => false;

    public StringValues this[string key]
    {
        get => _values.TryGetValue(key, out StringValues value) ? value : StringValues.Empty;
        set => _values[key] = value;
    }

    StringValues IDictionary<string, StringValues>.this[string key]
    {
        get => this[key];
        set => this[key] = value;
    }

    public void Add(string key, StringValues value) => _values.Add(key, value);

    public void Add(KeyValuePair<string, StringValues> item) => _values.Add(item.Key, item.Value);

    public void Clear()
    {
        _values.Clear();
        ContentLength = null;
    }

    public bool Contains(KeyValuePair<string, StringValues> item) => _values.Contains(item);

    public bool ContainsKey(string key) => _values.ContainsKey(key);

    public void CopyTo(KeyValuePair<string, StringValues>[] array, int arrayIndex) =>
        ((ICollection<KeyValuePair<string, StringValues>>)_values).CopyTo(array, arrayIndex);

    public IEnumerator<KeyValuePair<string, StringValues>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Remove(string key) => _values.Remove(key);

    public bool Remove(KeyValuePair<string, StringValues> item) => _values.Remove(item.Key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out StringValues value) => _values.TryGetValue(key, out value);
}
