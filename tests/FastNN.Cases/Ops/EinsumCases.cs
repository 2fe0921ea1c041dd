namespace FastNN.Testing;

/// <summary>Equations, and what is recorded by one.</summary>
internal sealed class EinsumCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach ((string equation, string letters, int[][] shapes) in new (string, string, int[][])[]
            {
                ("ij,jk->ik", "", [[7, 13], [13, 5]]), ("ij,jk", "ij,jk->ik", [[3, 4], [4, 5]]), ("ij,kj->ik", "", [[7, 3], [5, 3]]),
                ("ji,jk->ki", "", [[7, 3], [7, 5]]), ("bij,bjk->bik", "", [[3, 5, 7], [3, 7, 4]]), ("ij->ji", "", [[7, 13]]),
                ("ba", "ba->ab", [[3, 5]]), ("ij->", "", [[7, 13]]), ("ij->i", "", [[3, 17]]), ("i,i->", "", [[31], [31]]),
                ("i,j->ij", "", [[7], [13]]), ("ij,ij->ij", "", [[3, 5], [3, 5]]), ("ii->i", "", [[7, 7]]), ("ii", "ii->", [[5, 5]]),
                ("iij->j", "", [[4, 4, 3]]), ("biji->bj", "", [[2, 3, 4, 3]]), ("bhtd,bhsd->bhts", "", [[2, 3, 5, 4], [2, 3, 7, 4]]),
                ("bthd,bshd->bhts", "", [[2, 5, 3, 4], [2, 7, 3, 4]]), ("ab,bc,cd->ad", "", [[3, 4], [4, 5], [5, 2]]),
                ("ni,oij,nj->no", "", [[5, 3], [4, 3, 2], [5, 2]]), ("abcd,cd->ab", "", [[2, 3, 4, 5], [4, 5]]),
                ("abcd,dc->ba", "", [[2, 3, 4, 5], [5, 4]]), ("ij,k->jk", "", [[3, 4], [5]]), ("i,i,i->i", "", [[5], [5], [5]]),
                ("aij,bjk->abik", "", [[2, 3, 4], [5, 4, 2]]), ("...ij,...jk->...ik", "yzij,zjk->yzik", [[2, 3, 4, 5], [3, 5, 2]]),
                ("...i,...i", "zi,zi->z", [[3, 7], [1, 7]]), ("...i->i...", "yzi->iyz", [[2, 3, 5]]), ("a...,a->...", "az,a->z", [[3, 5], [3]]),
                (" i j , j -> i ", "ij,j->i", [[3, 4], [4]]), ("ij,j->i", "", [[1, 1], [1]]), ("zi,zi->zi", "", [[1, 5], [3, 1]]),
                ("ijk,ijk->", "", [[3, 5, 7], [3, 5, 7]]), ("...->", "yz->", [[3, 5]]), ("Ab,bC", "Ab,bC->AC", [[3, 2], [2, 4]]),
            })
            {
                yield return Case(equation, letters.Length == 0 ? equation : letters,
                    Array.ConvertAll(shapes, x => new Shape(x)));
            }

            foreach ((int[] batch, int first, int second, int units, bool bias) in new (int[], int, int, int, bool)[]
            {
                ([5], 3, 4, 7, true), ([2, 3], 5, 1, 2, false), ([], 4, 3, 2, true), ([33], 17, 13, 1, true),
            })
            {
                yield return Bilinear(batch, first, second, units, bias);
            }
        }
    }

    private static OpCase Case(string equation, string letters, Shape[] shapes)
    {
        string[] sides = letters.Split("->"), terms = sides[0].Split(',');
        return new OpCase(
            $"{equation} of {string.Join(" and ", shapes)}", [.. shapes.Select((shape, i) => OpInput.Uniform($"x{i}", shape))],
            values => ProductOperators.Einsum(equation, values),
            values => EinsumReference.Forward(terms, sides[1], shapes, values))
        {
            Samples = 12,
            Tolerance = 2e-5,
            ReferenceBackward = (values, dY) => EinsumReference.Backward(terms, sides[1], shapes, values, dY),
        };
    }

    private static OpCase Bilinear(int[] batch, int first, int second, int units, bool bias)
    {
        Shape[] shapes = [new([.. batch, first]), new([.. batch, second]), new(units, first, second), new(units)];
        string front = "xyz"[..batch.Length];
        string[] terms = [$"{front}i", $"{front}j", "oij"];
        return new OpCase(
            $"bilinear {shapes[0]} and {shapes[1]} to {units}{(bias ? "" : ", no bias")}",
            [
                OpInput.Uniform("x1", shapes[0]), OpInput.Uniform("x2", shapes[1]), OpInput.Uniform("weight", shapes[2]),
                .. bias ? [OpInput.Uniform("bias", shapes[3])] : Array.Empty<OpInput>()],
            values => values[0].Bilinear(values[1], values[2], values.ElementAtOrDefault(3)),
            values =>
            {
                double[] y = EinsumReference.Forward(terms, front + "o", shapes[..3], values[..3]);
                return bias ? [.. y.Select((value, i) => value + values[3][i % units])] : y;
            })
        {
            Samples = 12,
            Tolerance = 5e-5,
        };
    }
}
