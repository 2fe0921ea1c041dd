using FsCheck;
using FsCheck.Fluent;

namespace FastNN.Testing;

/// <summary>
/// Damages a valid file in the ways that files get damaged, and holds a reader to what it promises about such files.
/// </summary>
internal static class Mutations
{
    private static readonly ulong[] Extremes = [
        0, 1, 0x7F, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, long.MaxValue, ulong.MaxValue];

    /// <summary>
    /// Damages the file in <paramref name="times"/> ways; the bound is a function of the damaged file's length.
    /// </summary>
    public static void Check(byte[] valid, Action<Stream, string> read, int times, Func<long, long> bound)
    {
        // What is made once per process is no part of what a file costs.
        ReadsOrRefuses(valid, read, long.MaxValue);
        ReadsOrRefuses([], read, long.MaxValue);
        Assert.That(ReadsOrRefuses(valid, read, bound(valid.Length)), Is.True, "the file before any damage");
        FsCheck.Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(times), Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            byte[] file = Damage(valid, seed);
            ReadsOrRefuses(file, read, bound(file.Length));
        }));

        // And every truncation, because that is what an interrupted copy leaves.
        for (int length = 0; length < valid.Length; length += 1 + (valid.Length / 500))
            ReadsOrRefuses(valid[..length], read, bound(length));
    }

    /// <summary>One to four random edits: cut, overwrite, flip a bit, insert, delete, repeat, write an extreme number.</summary>
    public static byte[] Damage(byte[] valid, int seed)
    {
        var random = new Random(seed);
        var bytes = new List<byte>(valid);
        for (int edits = random.Next(1, 5); edits > 0 && bytes.Count > 0; edits--)
        {
            // Half of the edits hit the header, where the structure is.
            int at = random.Next(random.Next(2) == 0 ? Math.Min(bytes.Count, 64) : bytes.Count);
            int count = Math.Min(random.Next(1, 9), bytes.Count - at);
            switch (random.Next(7))
            {
                case 0:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 3:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case 4:
                    bytes.RemoveRange(at, count);
                    break;
                case 5:
                    bytes.InsertRange(at, bytes.GetRange(at, count));
                    break;
                default:
                    byte[] number = BitConverter.GetBytes(Extremes[random.Next(Extremes.Length)]);
                    if (random.Next(2) == 0)
                        Array.Reverse(number);
                    for (int i = 0; i < count; i++)
                        bytes[at + i] = number[i];
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>
    /// The reader either succeeds or throws <see cref="FileFormatException"/> with one line that names the file, and allocates
    /// no more than the bound. Returns whether it succeeded.
    /// </summary>
    public static bool ReadsOrRefuses(byte[] file, Action<Stream, string> read, long bound)
    {
        using var stream = new MemoryStream(file, writable: false);
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool succeeded = true;
        try
        {
            read(stream, "damaged.bin");
        }
        catch (FileFormatException e)
        {
            succeeded = false;
            Assert.That(e.Message, Does.StartWith("damaged.bin: "));
            Assert.That(e.Message, Does.Contain("expected").And.Contain("got"));
            Assert.That(e.Message.Any(char.IsControl), Is.False, e.Message);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(bound));
        return succeeded;
    }
}
