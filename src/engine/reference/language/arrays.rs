//! Arrays.

use super::Group;
use crate::engine::reference::function::function;

/// Functions of arrays.
pub(super) const ARRAYS: Group = Group {
    title: "Arrays",
    about: "A list of any values, `[1, \"two\", ()]`. Positions count from 0; a negative one counts from the end. A \
            function that is called with each item gets the item, and, if it takes two, the item and its position.",
    functions: &[
        function(&["list.len() -> int", "list.len -> int"], "The number of items.", "[1, 2, 3].len()", "3"),
        function(
            &["list.is_empty() -> bool", "list.is_empty -> bool"],
            "Whether there is none.",
            "[].is_empty()",
            "true",
        ),
        function(
            &["list.push(value)"],
            "Appends one value; `list += value` too.",
            "let a = [1]; a.push(2); a",
            "[1,2]",
        ),
        function(
            &["list.append(other)"],
            "Appends the items of an array; `list += other` too.",
            "let a = [1]; a.append([2, 3]); a",
            "[1,2,3]",
        ),
        function(&["a + b -> array"], "Both in a row.", "[1] + [2]", "[1,2]"),
        function(
            &["list.insert(position, value)"],
            "Puts a value before a position.",
            "let a = [1, 3]; a.insert(1, 2); a",
            "[1,2,3]",
        ),
        function(
            &["list.pop() -> value"],
            "Takes the last item off, or gives `()`.",
            "let a = [1, 2]; [a.pop(), a]",
            "[2,[1]]",
        ),
        function(
            &["list.shift() -> value"],
            "Takes the first item off, or gives `()`.",
            "let a = [1, 2]; [a.shift(), a]",
            "[1,[2]]",
        ),
        function(
            &["list.remove(position) -> value"],
            "Takes an item out, or gives `()`.",
            "let a = [1, 2, 3]; a.remove(1); a",
            "[1,3]",
        ),
        function(
            &["list.get(position) -> value"],
            "The item, or `()`; `list[position]` throws instead.",
            "[1, 2].get(5)",
            "()",
        ),
        function(
            &["list.set(position, value)"],
            "Replaces an item that is there.",
            "let a = [1, 2]; a.set(0, 9); a",
            "[9,2]",
        ),
        function(&["list.clear()"], "Takes all items out.", "let a = [1]; a.clear(); a", "[]"),
        function(
            &["list.truncate(length)"],
            "Keeps the first so many items.",
            "let a = [1, 2, 3]; a.truncate(2); a",
            "[1,2]",
        ),
        function(
            &["list.chop(length)"],
            "Keeps the last so many items.",
            "let a = [1, 2, 3]; a.chop(2); a",
            "[2,3]",
        ),
        function(
            &["list.pad(length, value)"],
            "Appends a value until there are so many items.",
            "let a = [1]; a.pad(3, 0); a",
            "[1,0,0]",
        ),
        function(
            &[
                "list.extract(start) -> array",
                "list.extract(start, length) -> array",
                "list.extract(range) -> array",
            ],
            "A copy of a part.",
            "[1, 2, 3, 4].extract(1, 2)",
            "[2,3]",
        ),
        function(
            &["list.split(position) -> array"],
            "Takes all from a position on out, and gives it.",
            "let a = [1, 2, 3]; [a.split(1), a]",
            "[[2,3],[1]]",
        ),
        function(
            &["list.splice(start, length, other)", "list.splice(range, other)"],
            "Replaces a part with the items of an array.",
            "let a = [1, 2, 3]; a.splice(0, 2, [9]); a",
            "[9,3]",
        ),
        function(
            &[
                "list.drain(test) -> array",
                "list.drain(range) -> array",
                "list.drain(start, length) -> array",
            ],
            "Takes out the items for which a function says yes, or a part, and gives them.",
            "let a = [1, 2, 3]; [a.drain(|x| x > 1), a]",
            "[[2,3],[1]]",
        ),
        function(
            &[
                "list.retain(test) -> array",
                "list.retain(range) -> array",
                "list.retain(start, length) -> array",
            ],
            "Keeps the items for which a function says yes, or a part, and gives the others.",
            "let a = [1, 2, 3]; [a.retain(|x| x > 1), a]",
            "[[1],[2,3]]",
        ),
        function(
            &["list.map(change) -> array"],
            "What a function makes of each item.",
            "[1, 2].map(|x| x * 10)",
            "[10,20]",
        ),
        function(
            &["list.filter(test) -> array"],
            "A copy of the items for which a function says yes.",
            "[1, 2, 3].filter(|x| x % 2 == 1)",
            "[1,3]",
        ),
        function(
            &["list.for_each(act)"],
            "Calls a function with each item as `this`, which it may change.",
            "let a = [1, 2]; a.for_each(|| this += 1); a",
            "[2,3]",
        ),
        function(
            &["list.reduce(join) -> value", "list.reduce(join, start) -> value"],
            "Joins all items: a function gets the result so far and an item.",
            "[1, 2, 3].reduce(|sum, x| sum + x, 0)",
            "6",
        ),
        function(
            &["list.reduce_rev(join) -> value", "list.reduce_rev(join, start) -> value"],
            "The same, from the end.",
            r#"["a", "b"].reduce_rev(|all, x| all + x, "")"#,
            r#""ba""#,
        ),
        function(
            &["list.find(test) -> value", "list.find(test, start) -> value"],
            "The first item for which a function says yes, or `()`.",
            "[1, 5, 7].find(|x| x > 3)",
            "5",
        ),
        function(
            &["list.find_map(change) -> value", "list.find_map(change, start) -> value"],
            "The first result of a function that is not `()`.",
            "[#{}, #{ a: 7 }].find_map(|x| x.a)",
            "7",
        ),
        function(
            &["list.some(test) -> bool"],
            "Whether a function says yes for any item.",
            "[1, 2].some(|x| x > 1)",
            "true",
        ),
        function(
            &["list.all(test) -> bool"],
            "Whether a function says yes for all items.",
            "[1, 2].all(|x| x > 1)",
            "false",
        ),
        function(
            &["list.contains(value) -> bool"],
            "Whether a value is in it; also `value in list`.",
            "[1, [2]].contains([2])",
            "true",
        ),
        function(
            &[
                "list.index_of(value) -> int",
                "list.index_of(test) -> int",
                "list.index_of(value, start) -> int",
            ],
            "Where a value, or an item for which a function says yes, first is, or -1.",
            "[4, 5, 6].index_of(|x| x > 4)",
            "1",
        ),
        function(
            &["list.sort()", "list.sort(compare)"],
            "Puts numbers, strings, characters or bools of one type into order; or any values by a function that gives a number below, at or above 0 for two of them.",
            "let a = [3, 1, 2]; a.sort(|x, y| y - x); a",
            "[3,2,1]",
        ),
        function(
            &["list.sort_by(compare)"],
            "The same as `sort` with a function.",
            "let a = [3, 1, 2]; a.sort_by(|x, y| x - y); a",
            "[1,2,3]",
        ),
        function(
            &["list.sort_desc()"],
            "Puts it into descending order.",
            "let a = [3, 1, 2]; a.sort_desc(); a",
            "[3,2,1]",
        ),
        function(
            &["list.order() -> array", "list.order_desc() -> array", "list.order_by(compare) -> array"],
            "The items in order, as a new array.",
            "[3, 1, 2].order_desc()",
            "[3,2,1]",
        ),
        function(&["list.reverse()"], "Turns the order round.", "let a = [1, 2]; a.reverse(); a", "[2,1]"),
        function(
            &["list.dedup()", "list.dedup(same)"],
            "Keeps one of equal items that stand side by side.",
            "let a = [1, 1, 2, 1]; a.dedup(); a",
            "[1,2,1]",
        ),
        function(
            &["list.zip(other, join) -> array"],
            "What a function makes of the items of two arrays, pair by pair.",
            "[1, 2].zip([10, 20], |x, y| x + y)",
            "[11,22]",
        ),
        function(
            &["a == b -> bool", "a != b -> bool"],
            "Compares item by item.",
            "[1, [2]] == [1, [2]]",
            "true",
        ),
    ],
};
