using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace FastNN.Formats;

/// <summary>
/// A file of events as TensorBoard reads it: TensorFlow's framing of records, each with its length and two checksums. What is
/// appended at once is written by one call, so that a reader of the growing file sees whole records and at most one piece.
/// </summary>
internal sealed class EventFile : IDisposable
{
    private const int MaxAttempts = 1000;
    private const int HeaderBytes = 12;
    private const uint MaskDelta = 0xA282EAD8;

    private static int _files;

    private readonly Stream _stream;
    private byte[] _frames = new byte[1 << 12];
    private int _count;

    public EventFile(Stream stream, string path) => (_stream, Path) = (stream, path);

    public string Path { get; }

    /// <summary>Creates a file of its own in a folder, under a name that TensorBoard looks for.</summary>
    /// <exception cref="IOException">The folder cannot be made, or no file in it.</exception>
    public static EventFile Create(string folder, DateTimeOffset now)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        try
        {
            Directory.CreateDirectory(folder);
            for (int attempt = 0; ; attempt++)
            {
                // Readers take a run's files in the order of their names: the time first, and numbers of one width.
                string name = string.Create(
                    CultureInfo.InvariantCulture,
                    $"events.out.tfevents.{now.ToUnixTimeSeconds():D10}.{HostName()}.{Environment.ProcessId}.{Interlocked.Increment(ref _files) - 1:D4}");
                string path = System.IO.Path.Combine(folder, name);
                try
                {
                    return new EventFile(
                        new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0), path);
                }
                catch (IOException) when (attempt < MaxAttempts && File.Exists(path))
                {
                    // Containers that share a folder may have the same host name and process number.
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"cannot write events to the folder '{Quote.Text(folder, int.MaxValue)}': {Quote.Text(e.Message, 300)}", e);
        }
    }

    /// <summary>Bytes that wait for <see cref="Write"/>.</summary>
    public int Pending => _count;

    /// <summary>Adds a record to what <see cref="Write"/> writes.</summary>
    public void Append(ReadOnlySpan<byte> record)
    {
        int length = HeaderBytes + record.Length + sizeof(uint);
        if (length > _frames.Length - _count)
        {
            Array.Resize(ref _frames, Math.Max(checked(_count + length), 2 * Math.Min(_frames.Length, Array.MaxLength / 2)));
        }

        Span<byte> frame = _frames.AsSpan(_count, length);
        BinaryPrimitives.WriteInt64LittleEndian(frame, record.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[sizeof(long)..], MaskedCrc(frame[..sizeof(long)]));
        record.CopyTo(frame[HeaderBytes..]);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[^sizeof(uint)..], MaskedCrc(record));
        _count += length;
    }

    /// <summary>Hands all records that were appended to the operating system.</summary>
    public void Write()
    {
        if (_count > 0)
        {
            _stream.Write(_frames, 0, _count);
            _stream.Flush();
            _count = 0;
        }
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>
    /// CRC-32C (Castagnoli), turned and shifted: a checksum of bytes that hold checksums is weak otherwise.
    /// </summary>
    private static uint MaskedCrc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return BitOperations.RotateRight(~crc, 15) + MaskDelta;
    }

    private static string HostName()
    {
        var name = new StringBuilder();
        foreach (char c in Environment.MachineName)
        {
            name.Append(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-');
        }

        return name.Length > 0 ? name.ToString() : "localhost";
    }
}
