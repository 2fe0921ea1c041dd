using System.Globalization;
using System.Text;

namespace FastNN.Fuzz;

/// <summary>Damages files. The result is a function of the random numbers alone.</summary>
internal sealed class Mutator(Random random, byte[][] tokens)
{
    private const int MaxLength = 1 << 16;

    private static readonly ulong[] Extremes =
        [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, long.MaxValue, 1UL << 63, ulong.MaxValue];

    private static readonly string[] Numbers =
        [
            "0", "-1", "1e999", "-0", "NaN", "2147483647", "2147483648", "9223372036854775807", "18446744073709551616", "0.5",
            "1e-400", "00", "0x1"];

    /// <summary>One to eight edits of a file, some of which take from another.</summary>
    public byte[] Mutate(byte[] file, byte[] other)
    {
        var bytes = new List<byte>(file);
        for (int edits = random.Next(1, 9); edits > 0; edits--)
        {
            Edit(bytes, other);
            if (bytes.Count > MaxLength)
            {
                bytes.RemoveRange(MaxLength, bytes.Count - MaxLength);
            }
        }

        return [.. bytes];
    }

    private void Edit(List<byte> bytes, byte[] other)
    {
        // Half of the edits hit the beginning, where the structure is.
        int at = random.Next((random.Next(2) == 0 ? Math.Min(bytes.Count, 128) : bytes.Count) + 1);
        int count = Math.Min(random.Next(1, 17), bytes.Count - at);
        switch (random.Next(12))
        {
            case 0 when count > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when count > 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                bytes.RemoveRange(at, count);
                break;
            case 3:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 4:
                bytes.InsertRange(at, bytes.GetRange(at, count));
                break;
            case 5:
                Overwrite(bytes, at, Integer());
                break;
            case 6:
                bytes.InsertRange(at, Encoding.ASCII.GetBytes(Numbers[random.Next(Numbers.Length)]));
                break;
            case 7:
                ReplaceNumber(bytes, at);
                break;
            case 8 when tokens.Length > 0:
                bytes.InsertRange(at, tokens[random.Next(tokens.Length)]);
                break;
            case 9 when tokens.Length > 0:
                Overwrite(bytes, at, tokens[random.Next(tokens.Length)]);
                break;
            case 10:
                int from = random.Next(other.Length + 1);
                bytes.InsertRange(at, other[from..Math.Min(other.Length, from + random.Next(1, 257))]);
                break;
            default:
                bytes.InsertRange(at, Enumerable.Repeat((byte)random.Next(256), 1 << random.Next(0, 12)));
                break;
        }
    }

    private byte[] Integer()
    {
        byte[] number = BitConverter.GetBytes(Extremes[random.Next(Extremes.Length)] + (ulong)random.Next(-1, 2));
        number = number[..(1 << random.Next(4))];
        if (random.Next(2) == 0)
        {
            Array.Reverse(number);
        }

        return number;
    }

    // The run of digits at or behind a place, if there is one, becomes another number.
    private void ReplaceNumber(List<byte> bytes, int at)
    {
        int first = bytes.FindIndex(Math.Min(at, bytes.Count), b => b is >= (byte)'0' and <= (byte)'9');
        if (first < 0)
        {
            return;
        }

        int end = first;
        while (end < bytes.Count && bytes[end] is >= (byte)'0' and <= (byte)'9')
        {
            end++;
        }

        string number = random.Next(2) == 0
            ? Numbers[random.Next(Numbers.Length)]
            : random.NextInt64(-2, 1L << random.Next(1, 63)).ToString(CultureInfo.InvariantCulture);
        bytes.RemoveRange(first, end - first);
        bytes.InsertRange(first, Encoding.ASCII.GetBytes(number));
    }

    private static void Overwrite(List<byte> bytes, int at, byte[] piece)
    {
        for (int i = 0; i < piece.Length && at + i < bytes.Count; i++)
        {
            bytes[at + i] = piece[i];
        }
    }
}
