//! Integers and floats, and their bits.

use super::Group;
use crate::engine::reference::function::function;

/// Functions of numbers.
pub(super) const NUMBERS: Group = Group {
    title: "Numbers",
    about: "Integers have 64 bits and a sign (`42`, `1_000`, `0xff`, `0b101`); going beyond them, and dividing one by 0, \
            throws. Floats have a point or an exponent (`1.0`, `1e3`). One float makes the result of a calculation \
            a float.",
    functions: &[
        function(
            &["a + b -> number", "a - b -> number", "a * b -> number"],
            "Adds, subtracts, multiplies.",
            "[1 + 2, 1 - 2.5, 3 * 4]",
            "[3,-1.5,12]",
        ),
        function(
            &["a / b -> number", "a % b -> number"],
            "Divides, integers without the rest; and the rest.",
            "[7 / 2, 7 / 2.0, -7 % 3]",
            "[3,3.5,-1]",
        ),
        function(
            &["a -= b"],
            "Subtracts from a variable; `+= *= /= %= **=` do theirs.",
            "let n = 5; n -= 2; n *= 10; n",
            "30",
        ),
        function(&["a ** b -> number"], "Raises to a power.", "[2 ** 10, 2.0 ** 0.5 > 1.4]", "[1024,true]"),
        function(
            &[
                "a == b -> bool",
                "a != b -> bool",
                "a < b -> bool",
                "a <= b -> bool",
                "a > b -> bool",
                "a >= b -> bool",
            ],
            "Compares; 1 equals 1.0.",
            "[1 == 1.0, 2 >= 3]",
            "[true,false]",
        ),
        function(&["number.abs() -> number"], "Without its sign.", "(-3).abs()", "3"),
        function(&["number.sign() -> int"], "-1, 0 or 1.", "(-2.5).sign()", "-1"),
        function(
            &["number.is_zero() -> bool", "number.is_zero -> bool"],
            "Whether it is 0.",
            "0.0.is_zero",
            "true",
        ),
        function(
            &["integer.is_odd() -> bool", "integer.is_odd -> bool"],
            "Whether it is odd.",
            "3.is_odd",
            "true",
        ),
        function(
            &["integer.is_even() -> bool", "integer.is_even -> bool"],
            "Whether it is even.",
            "3.is_even",
            "false",
        ),
        function(
            &["min(a, b) -> number"],
            "The smaller one; also of two strings or characters.",
            "min(3, 2)",
            "2",
        ),
        function(
            &["max(a, b) -> number"],
            "The larger one; also of two strings or characters.",
            "max(3, 2.5)",
            "3.0",
        ),
        function(
            &["number.to_int() -> int"],
            "A float without what follows the point.",
            "(-2.9).to_int()",
            "-2",
        ),
        function(&["number.to_float() -> float"], "As a float.", "3.to_float()", "3.0"),
        function(
            &["float.int() -> float", "float.int -> float"],
            "What stands before the point, as a float.",
            "2.7.int",
            "2.0",
        ),
        function(
            &["float.fraction() -> float", "float.fraction -> float"],
            "What stands behind the point, as a float.",
            "2.5.fraction",
            "0.5",
        ),
        function(
            &["float.floor() -> float", "float.floor -> float"],
            "Rounded down.",
            "(-2.5).floor",
            "-3.0",
        ),
        function(
            &["float.ceiling() -> float", "float.ceiling -> float"],
            "Rounded up.",
            "2.1.ceiling",
            "3.0",
        ),
        function(
            &["float.round() -> float", "float.round -> float"],
            "Rounded to the nearest, a half away from 0.",
            "2.5.round",
            "3.0",
        ),
        function(
            &["float.is_nan() -> bool", "float.is_nan -> bool"],
            "Whether it is no number, as 0.0 / 0.0 is.",
            "(0.0 / 0.0).is_nan",
            "true",
        ),
        function(
            &["float.is_finite() -> bool", "float.is_finite -> bool"],
            "Whether it is neither that nor infinite.",
            "1.5.is_finite",
            "true",
        ),
        function(
            &["float.is_infinite() -> bool", "float.is_infinite -> bool"],
            "Whether it is infinite.",
            "(1.0 / 0.0).is_infinite",
            "true",
        ),
        function(&["integer.to_hex() -> string"], "In hexadecimal digits.", "255.to_hex()", r#""ff""#),
        function(&["integer.to_octal() -> string"], "In octal digits.", "8.to_octal()", r#""10""#),
        function(&["integer.to_binary() -> string"], "In binary digits.", "5.to_binary()", r#""101""#),
    ],
};

/// Functions of mathematics.
pub(super) const MATHEMATICS: Group = Group {
    title: "Mathematics",
    about: "For floats; angles are in radians.",
    functions: &[
        function(&["sqrt(x) -> float"], "The square root.", "sqrt(9.0)", "3.0"),
        function(&["exp(x) -> float"], "e to the power of x.", "exp(0.0)", "1.0"),
        function(&["ln(x) -> float"], "The natural logarithm.", "ln(E())", "1.0"),
        function(
            &["log(x) -> float", "log(x, base) -> float"],
            "The logarithm to base 10, or to another.",
            "[log(100.0), log(8.0, 2.0)]",
            "[2.0,3.0]",
        ),
        function(&["PI() -> float"], "3.14159...", "PI() > 3.14", "true"),
        function(&["E() -> float"], "2.71828...", "E() > 2.71", "true"),
        function(
            &["sin(x) -> float", "cos(x) -> float", "tan(x) -> float"],
            "Sine, cosine, tangent.",
            "[sin(0.0), cos(0.0), tan(0.0)]",
            "[0.0,1.0,0.0]",
        ),
        function(
            &["asin(x) -> float", "acos(x) -> float", "atan(x) -> float", "atan(x, y) -> float"],
            "The angle of a sine, cosine, tangent, or of a point.",
            "[asin(0.0), acos(1.0), atan(0.0)]",
            "[0.0,0.0,0.0]",
        ),
        function(
            &["sinh(x) -> float", "cosh(x) -> float", "tanh(x) -> float"],
            "The hyperbolic ones.",
            "[sinh(0.0), cosh(0.0), tanh(0.0)]",
            "[0.0,1.0,0.0]",
        ),
        function(
            &["asinh(x) -> float", "acosh(x) -> float", "atanh(x) -> float"],
            "And back.",
            "[asinh(0.0), acosh(1.0), atanh(0.0)]",
            "[0.0,0.0,0.0]",
        ),
        function(
            &["hypot(x, y) -> float"],
            "The length of the line from 0, 0 to x, y.",
            "hypot(3.0, 4.0)",
            "5.0",
        ),
        function(&["x.to_degrees() -> float"], "Radians in degrees.", "PI().to_degrees()", "180.0"),
        function(&["x.to_radians() -> float"], "Degrees in radians.", "180.0.to_radians() == PI()", "true"),
    ],
};

/// Functions of bits.
pub(super) const BITS: Group = Group {
    title: "Bits",
    about: "An integer as 64 bits, the lowest first; a negative position counts from the highest.",
    functions: &[
        function(
            &["a & b -> int", "a | b -> int", "a ^ b -> int"],
            "And, or, either; bools too.",
            "[6 & 3, 6 | 3, 6 ^ 3]",
            "[2,7,5]",
        ),
        function(&["a << b -> int", "a >> b -> int"], "Shifts.", "[1 << 4, 256 >> 4]", "[16,16]"),
        function(&["integer.get_bit(position) -> bool"], "One bit.", "5.get_bit(2)", "true"),
        function(
            &["integer.set_bit(position, bit)"],
            "Sets one bit.",
            "let n = 5; n.set_bit(1, true); n",
            "7",
        ),
        function(
            &["integer.get_bits(start, length) -> int", "integer.get_bits(range) -> int"],
            "Some bits, as a number.",
            "0b1101.get_bits(1, 3)",
            "6",
        ),
        function(
            &["integer.set_bits(start, length, value)", "integer.set_bits(range, value)"],
            "Sets some bits.",
            "let n = 0; n.set_bits(1, 2, 3); n",
            "6",
        ),
        function(
            &[
                "integer.bits() -> iterator",
                "integer.bits(start, length) -> iterator",
                "integer.bits -> iterator",
            ],
            "The bits, for a loop.",
            "let n = 0; for bit in 7.bits { if bit { n += 1 } } n",
            "3",
        ),
    ],
};
